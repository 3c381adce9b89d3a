import type { UsageSummary } from '@parkline/contract';
import pino from 'pino';
import { expect, test } from 'vitest';
import { tellEquipmentChanged } from '../fleet/index.ts';
import { createTestApp, loggedIn } from '../identity/testing.ts';
import { keepMultiplier, meteringJobs } from '../metering/index.ts';
import { givenLease, givenSpace, givenTenant } from '../metering/testing.ts';
import { withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { doNextJob } from '../platform/run-jobs.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { givenPark, givenReadings } from '../telemetry/testing.ts';
import { myUsageRoutes } from './my-routes.ts';

const database = await clonedDatabase();
const owner = database.pool();
let clock = Date.parse('2026-11-12T10:00:00Z');
const now = () => new Date(clock);
const app = await createTestApp(database.app);
await app.register(myUsageRoutes({ db: database.app, now }));

const { accountId, gateways } = await givenPark(owner, { zone: 'UTC' });
const { buildingId, meters } = gateways[0]!;
const [old, fresh] = [meters[0]!, meters[1]!];
const register = (meter: typeof old) => meter.points[1]!;
const space = await givenSpace(owner, accountId, buildingId);
const tenant = await givenTenant(owner, accountId);
await givenLease(owner, accountId, { tenant, space, from: '2026-09-01', to: null });
const me = await loggedIn(database.owner, accountId, ['tenant_admin'], tenant);

/** 100 counts each quarter of an hour. */
async function count(meter: typeof old, from: string, to: string): Promise<void> {
  const [first, last] = [Date.parse(from), Date.parse(to)];
  const quarters = Array.from({ length: (last - first) / 900_000 + 1 }, (_, i) => i);
  await givenReadings(
    owner,
    register(meter),
    quarters.map((i): [number, number, number] => [first + i * 900_000, 1_000 + i * 100, 1]),
  );
}
async function edit(
  meter: typeof old,
  columns: Readonly<Record<string, unknown>>,
  at: string,
): Promise<void> {
  for (const [column, value] of Object.entries(columns))
    await owner.query(`update equipment set ${column} = $2 where id = $1`, [meter.id, value]);
  await withAccount(database.app, accountId, (trx) =>
    tellEquipmentChanged(trx, accountId, { at: new Date(at), newId }),
  );
  await work();
}
async function work(): Promise<void> {
  const log = pino({ enabled: false });
  const due = () => new Date('2027-01-01T00:00:00Z');
  while (await doNextJob({ db: database.worker, now: due, log, handlers: meteringJobs({ newId }) }));
}
async function summary() {
  const { items, today } = (await app.inject({ url: '/api/my/summary', headers: me })).json<UsageSummary>();
  const { use, completeness, lastMonth } = items[0]!;
  return {
    use,
    completeness,
    last: lastMonth?.use ?? null,
    unknown: today.filter(({ value }) => value === null),
  };
}

test('the use of a tenant begins with the first reading, and is whole from there', async () => {
  await edit(old, { space_id: space }, '2026-11-01T00:00:00Z');
  await count(old, '2026-11-11T10:20:00Z', '2026-11-12T10:05:00Z');
  const { completeness, unknown, use } = await summary();
  expect({ completeness, unknown }).toEqual({ completeness: 1, unknown: [] });
  expect(use).toBeGreaterThan(0);
});

test('a meter that was bound by mistake and never heard changes nothing', async () => {
  const before = await summary();
  await edit(fresh, { space_id: space }, '2026-11-12T09:00:00Z');
  expect(await summary()).toEqual(before);
  await edit(fresh, { space_id: null }, '2026-11-12T09:01:00Z');
  expect(await summary()).toEqual(before);
});

test('a sub-meter in the same space is not counted again', async () => {
  const before = await summary();
  await edit(fresh, { space_id: space, submeter_of: old.id }, '2026-11-12T09:02:00Z');
  expect(await summary()).toEqual(before);
  await edit(fresh, { space_id: null, submeter_of: null }, '2026-11-12T09:03:00Z');
});

test('what was signed holds for all that was counted, and what is signed later from then on', async () => {
  const before = await summary();
  const prove = async (multiplier: string, readAt: string) => {
    const proven = { accountId, pointId: register(old).id, multiplier, readAt: new Date(readAt) };
    await withAccount(database.app, accountId, (trx) => keepMultiplier(trx, proven, { now, newId }));
    await work();
  };
  await prove('40', '2026-11-12T08:05:00Z');
  const first = await summary();
  expect(first.use).toBeCloseTo(before.use! * 40, 6);
  await prove('1', '2026-11-12T10:05:00Z');
  const later = await summary();
  expect({ ...later, completeness: 1 }).toEqual({ ...first, completeness: 1 });
  await prove('40', '2026-11-12T10:05:00Z');
});

test('an exchanged meter leaves no hole in the use of its space', async () => {
  await edit(old, { retired_at: '2026-11-12T10:05:00Z' }, '2026-11-12T10:05:00Z');
  await edit(fresh, { space_id: space }, '2026-11-12T10:05:00Z');
  await count(fresh, '2026-11-12T10:05:00Z', '2026-12-14T10:05:00Z');
  clock = Date.parse('2026-12-14T10:05:00Z');
  const { completeness, unknown, use, last } = await summary();
  expect({ completeness, unknown }).toEqual({ completeness: 1, unknown: [] });
  expect(use).toBeGreaterThan(0);
  expect(last).toBeGreaterThan(0);
});
