import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { fleetRoutes } from './routes.ts';
import { givenFleet, mixedPark } from './testing.ts';

const { app: db, owner } = await clonedDatabase();
const demo = readFileSync(join(import.meta.dirname, '../../../firmware-sim/parks/demo.yaml'), 'utf8');

/** Every row of the account with the transaction that last wrote it. */
async function rowsOf(accountId: string): Promise<Record<string, string>> {
  const tables = [
    'gateway',
    'equipment',
    'equipment_serves',
    'point',
    'space',
    'tenant',
    'lease',
    'lease_space',
  ];
  const found = tables.map(async (table) => {
    const { rows } = await sql<{ all: string }>`
      select count(*) || ' ' || coalesce(md5(string_agg(xmin || ' ' || ctid::text, ',' order by ctid)), '') as all
      from ${sql.table(table)} where account_id = ${accountId}`.execute(owner);
    return [table, rows[0]?.all ?? ''];
  });
  return Object.fromEntries(await Promise.all(found)) as Record<string, string>;
}

test('the demo park has 300 points over four protocols, and a second seeding changes nothing', async () => {
  const account = await givenAccount(owner);
  const gateways = await givenFleet(owner, account, demo);
  const before = await rowsOf(account);
  expect(await givenFleet(owner, account, demo)).toEqual(gateways);
  expect(await rowsOf(account)).toEqual(before);

  const { rows } = await sql<{ protocol: string; points: number }>`
    select protocol, count(*)::int as points from point where account_id = ${account} group by 1 order by 1`.execute(
    owner,
  );
  expect(rows.map(({ protocol }) => protocol)).toEqual(['bacnet', 'modbus', 'mqtt', 'opcua']);
  expect(rows.reduce((sum, { points }) => sum + points, 0)).toBeGreaterThanOrEqual(300);
});

test('equipment says where it hangs in the words of its protocol, and what it works for', async () => {
  const account = await givenAccount(owner);
  await givenFleet(owner, account, mixedPark);
  const app = await createTestApp(db);
  await app.register(fleetRoutes({ db, now: () => new Date() }));
  const reply = await app.inject({ url: '/api/equipment', headers: await loggedIn(owner, account) });
  const items = reply.json<{
    items: { name: string; address: string; protocol: string; serves: string[] }[];
  }>().items;
  expect(
    items.map(({ name, protocol, address, serves }) => [name, protocol, address, serves.length]),
  ).toEqual([
    ['Main', 'modbus', 'm-panel unit 1', 0],
    ['Unit 101', 'modbus', 'm-panel unit 2', 0],
    ['Unit 102', 'modbus', 'm-panel unit 3', 0],
    ['Air handler', 'bacnet', 'm-bacnet device 2001', 2],
    ['Air terminal', 'bacnet', 'm-bacnet device 2002', 0],
    ['Elevator', 'opcua', 'm-opcua root Lift1', 0],
    ['Gate', 'mqtt', 'm-mqtt username m-gate', 0],
  ]);
});

test('a plan that changed is followed: another address, other places served, states with names', async () => {
  const account = await givenAccount(owner);
  await givenFleet(owner, account, mixedPark);
  const moved = mixedPark.replace('{ device: 2001 }', '{ device: 2100 }').replace('[m-1, m-101]', '[m-102]');
  await givenFleet(owner, account, moved);
  const { rows } = await sql<{ params: object; served: string; states: object }>`
    select e.params, (select s.key from equipment_serves v join space s on s.id = v.space_id where v.equipment_id = e.id) as served,
      (select p.states from point p where p.equipment_id = e.id and p.key = 'supply_fan_status') as states
    from equipment e where e.account_id = ${account} and e.key = 'm-ahu'`.execute(owner);
  expect(rows).toEqual([
    {
      params: { device: 2100 },
      served: 'm-102',
      states: { 0: { en: expect.any(String), zh: expect.any(String) }, 1: expect.any(Object) },
    },
  ]);
});

test('every template that does not fit is named', async () => {
  const account = await givenAccount(owner);
  const wrong = mixedPark
    .replace('kind: ahu, template', 'kind: chiller, template')
    .replace('elevator/generic-opcua', 'elevator/nobodys')
    .replace('template: gate/generic-mqtt', 'template: vav/generic-bacnet');
  await expect(givenFleet(owner, account, wrong)).rejects.toThrow(
    new RegExp(
      [
        'm-ahu is a chiller, its template ahu/generic-bacnet is a ahu',
        'm-lift: .*elevator/nobodys',
        'm-gate is a gate, its template vav/generic-bacnet is a vav',
        'm-gate is on a bus of mqtt, its template vav/generic-bacnet speaks bacnet',
      ].join('[^]*'),
    ),
  );
});
