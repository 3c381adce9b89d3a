import pino from 'pino';
import { expect, test } from 'vitest';
import { EQUIPMENT_CHANGED, tellEquipmentChanged } from '../fleet/index.ts';
import { withAccount, withActor } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { doNextJob } from '../platform/run-jobs.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { givenPark, givenReadings } from '../telemetry/testing.ts';
import { meteringJobs } from './jobs.ts';
import { keepMultiplier } from './multiplier.ts';
import { tenantUsage } from './repository.ts';
import { givenInstallation, givenLease, givenSpace, givenTenant, givenUsagePoint } from './testing.ts';

const database = await clonedDatabase();
const owner = database.pool();
const first = Date.parse('2026-11-10T00:00:00Z');
const hour = (n: number) => new Date(first + n * 3_600_000);

const park = await givenPark(owner, { zone: 'UTC' });
const { accountId } = park;
const { buildingId, meters } = park.gateways[0]!;
const [meter, planned] = [meters[0]!, meters[1]!];
const energy = meter.points[1]!;
const [a, b] = [
  await givenSpace(owner, accountId, buildingId),
  await givenSpace(owner, accountId, buildingId),
];

const set = (column: string, value: unknown) =>
  owner.query(`update equipment set ${column} = $2 where id = $1`, [meter.id, value]);

/** As workers do it, told by whoever changed devices. */
async function follow(at: Date, workers = 1): Promise<void> {
  const now = () => at;
  const log = pino({ enabled: false });
  const deps = { db: database.worker, now, log, handlers: meteringJobs({ newId }) };
  const all = Array.from({ length: workers });
  for (const _ of all)
    await withAccount(database.app, accountId, (trx) => tellEquipmentChanged(trx, accountId, { at, newId }));
  const work = async (): Promise<void> => {
    while (await doNextJob(deps));
  };
  await Promise.all(all.map(work));
  const left = await owner.query('select last_error from job where task = $1', [EQUIPMENT_CHANGED]);
  expect(left.rows).toEqual([]);
}

/** As two people signed it. */
const prove = (multiplier: string, readAt: Date) =>
  withAccount(database.app, accountId, async (trx) => {
    const proven = { accountId, pointId: energy.id, multiplier, readAt };
    for (const _ of [1, 2]) await keepMultiplier(trx, proven, { now: () => readAt, newId });
  });

const hangs = async () =>
  (
    await owner.query(
      `select u.key, u.space_id, i.from_at, i.to_at, i.multiplier::float8 from meter_installation i join usage_point u on u.id = i.usage_point_id
       where i.point_id = $1 order by i.from_at nulls first`,
      [energy.id],
    )
  ).rows as unknown[];
const deeds = async () =>
  (
    await owner.query(`select action from audit_event where account_id = $1 order by seq`, [accountId])
  ).rows.map(({ action }: { action: string }) => action);

test('a meter that is bound to a space measures it from its first reading on, and stays with a space what it counted there', async () => {
  const from = { key: meter.key, space_id: a, from_at: null, to_at: null };
  await set('space_id', a);
  await follow(hour(0), 2);
  await follow(hour(0));
  expect(await hangs()).toEqual([{ ...from, multiplier: 1 }]);

  // The wrong space, found before it was heard: nothing is to be kept apart.
  await set('space_id', b);
  await follow(hour(0));
  await set('space_id', a);
  await follow(hour(0));
  expect(await hangs()).toEqual([{ ...from, multiplier: 1 }]);

  await prove('40', hour(0));
  await follow(hour(0));
  expect(await hangs()).toEqual([{ ...from, multiplier: 40 }]);

  const tenant = await givenTenant(owner, accountId);
  for (const space of [a, b])
    await givenLease(owner, accountId, { tenant, space, from: '2026-11-10', to: null });
  await givenReadings(
    owner,
    energy,
    Array.from({ length: 17 }, (_, i): [number, number, number] => [first + i * 900_000, 1_000 + i * 100, 1]),
  );
  await set('space_id', b);
  await follow(hour(3));
  const [before, after] = [
    { ...from, to_at: hour(3), multiplier: 40 },
    {
      key: expect.stringMatching(`^${meter.key}-s-`) as string,
      space_id: b,
      from_at: hour(3),
      to_at: null,
      multiplier: 40,
    },
  ];
  expect(await hangs()).toEqual([before, after]);
  const actor = { accountId, tenantId: tenant, buildings: null };
  const used = (spaceId: string) =>
    withActor(database.app, actor, async (trx) => {
      const { rows } = await owner.query<{ id: string }>('select id from usage_point where space_id = $1', [
        spaceId,
      ]);
      const span = { from: hour(0), to: hour(24), now: hour(4) };
      const { use } = await tenantUsage.read(trx, rows[0]!.id, span);
      return use.spans.reduce((sum, { units }) => sum + units, 0n);
    });
  const [inA, inB] = [await used(a), await used(b)];
  expect(inA).toBe(inB * 3n);
  expect(inB).toBeGreaterThan(0n);

  await set('retired_at', hour(5));
  await follow(hour(5));
  expect(await hangs()).toEqual([before, { ...after, to_at: hour(5) }]);
  expect((await deeds()).filter((action) => action.startsWith('usage_point'))).toEqual([
    ...['usage_point.hung', 'usage_point.changed', 'usage_point.changed', 'usage_point.changed'],
    ...['usage_point.hung', 'usage_point.changed', 'usage_point.ended'],
  ]);
});

test('what a plan hung stays where it hangs', async () => {
  const point = await givenUsagePoint(owner, accountId, a);
  await givenInstallation(owner, accountId, point, planned.points[1]!.id);
  await owner.query('update equipment set space_id = $2 where id = $1', [planned.id, b]);
  await follow(hour(6));
  const { rows } = await owner.query('select id from usage_point where equipment_id = $1', [planned.id]);
  expect(rows).toEqual([]);
  await owner.query('delete from meter_installation where usage_point_id = $1', [point]);
});

test('what passes through two meters is counted by one of them', async () => {
  const bind = async (spaceId: string | null, at: Date) => {
    await owner.query('update equipment set submeter_of = $2, space_id = $3 where id = $1', [
      ...[planned.id, meter.id, spaceId],
    ]);
    await follow(at);
  };
  const measured = async () =>
    (
      await owner.query<{ id: string; space_id: string }>(
        `select u.equipment_id as id, u.space_id from usage_point u join meter_installation i on i.usage_point_id = u.id
         where i.to_at is null and u.equipment_id is not null`,
      )
    ).rows;
  await set('retired_at', null);
  await bind(b, hour(7));
  expect(await measured()).toEqual([{ id: meter.id, space_id: b }]);
  // The one before it would count for b what a uses.
  await bind(a, hour(8));
  expect(await measured()).toEqual([{ id: planned.id, space_id: a }]);
  await bind(null, hour(9));
  expect(await measured()).toEqual([{ id: meter.id, space_id: b }]);
});

test('a device that was never heard leaves nothing behind, unbound or deleted', async () => {
  const count = async () =>
    (await owner.query('select from usage_point where equipment_id = $1', [planned.id])).rowCount;
  const bind = async (spaceId: string | null, at: Date) => {
    await owner.query('update equipment set submeter_of = null, space_id = $2 where id = $1', [
      ...[planned.id, spaceId],
    ]);
    await follow(at);
  };
  await bind(a, hour(10));
  expect(await count()).toBe(1);
  await bind(null, hour(11));
  expect(await count()).toBe(0);
  await bind(a, hour(12));
  await withAccount(database.app, accountId, async (trx) => {
    await trx.deleteFrom('point').where('equipmentId', '=', planned.id).execute();
    await trx.deleteFrom('equipment').where('id', '=', planned.id).execute();
  });
  expect(await count()).toBe(0);
});

test('an edit holds from when it was made, however late the worker comes, and however its clock goes', async () => {
  await set('space_id', a);
  await follow(hour(9));
  const [last, open] = (await hangs()).slice(-2) as { to_at: Date; from_at: Date }[];
  expect(last!.to_at).toEqual(open!.from_at);
  expect(open!.from_at.getTime()).toBe(hour(9).getTime() + 1_000); // It began at this very moment.
});

test('a name is that of the device where it measures, and stays where it measured', async () => {
  await set('name', { en: 'Moved', zh: '已移' });
  await follow(hour(13));
  const { rows } = await owner.query<{ name: { en: string }; open: boolean }>(
    `select u.name, exists (select from meter_installation i where i.usage_point_id = u.id and i.to_at is null) as open
     from usage_point u where u.equipment_id = $1`,
    [meter.id],
  );
  expect(rows.filter(({ name }) => name.en === 'Moved')).toEqual(rows.filter(({ open }) => open));
  expect(rows.length).toBeGreaterThan(1);
});

test('another ratio holds from the reading that proved it, and the first one for all before', async () => {
  const registers = async () =>
    (
      await owner.query<{ multiplier: number }>(
        'select multiplier::float8 from meter_installation where point_id = $1 order by from_at nulls first',
        [energy.id],
      )
    ).rows.map(({ multiplier }) => multiplier);
  const before = await registers();
  expect(new Set(before)).toEqual(new Set([40]));
  await prove('80', hour(20));
  await follow(hour(21));
  expect(await registers()).toEqual([...before, 80]);
  expect((await hangs()).slice(-2)).toMatchObject([{ to_at: hour(20) }, { from_at: hour(20), to_at: null }]);
  await follow(hour(22));
  expect(await registers()).toEqual([...before, 80]);
});
