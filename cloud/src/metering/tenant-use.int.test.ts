import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { withActor } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { givenPark, givenReadings, type TestPark, type TestPoint } from '../telemetry/testing.ts';
import { tenantUsage } from './repository.ts';
import { givenInstallation, givenLease, givenSpace, givenTenant, givenUsagePoint } from './testing.ts';

const database = await clonedDatabase();
const owner = database.pool();
const QUARTER = 900_000;
const now = new Date('2026-11-22T10:00:00Z');
// Berlin: a local midnight in November is 23:00Z of the day before.
const week = { from: new Date('2026-11-09T23:00:00Z'), to: new Date('2026-11-16T23:00:00Z'), now };

let park: TestPark;
let energy: TestPoint;
let space: string;
let point: string;
let [first, second]: [string, string] = ['', ''];

/** A register that counts 10 in every quarter hour of [from, to], each sample standing for its quarter hour. */
const steady = (from: string, to: string, start = 1_000) => {
  const rows: [number, number, number][] = [];
  for (let at = Date.parse(from), i = 0; at <= Date.parse(to); at += QUARTER, i += 1)
    rows.push([at, start + i * 10, 1]);
  return rows;
};

beforeEach(async () => {
  park = await givenPark(owner);
  energy = park.gateways[0]!.meters[0]!.points[1]!;
  space = await givenSpace(owner, park.accountId, park.gateways[0]!.buildingId);
  point = await givenUsagePoint(owner, park.accountId, space);
  await givenInstallation(owner, park.accountId, point, energy.id);
  [first, second] = [await givenTenant(owner, park.accountId), await givenTenant(owner, park.accountId)];
});

const as = (tenantId: string | null, accountId = park.accountId) => ({
  accountId,
  tenantId,
  buildings: null,
});
const read = (tenantId: string | null, span = week, id = point, accountId?: string) =>
  withActor(database.app, as(tenantId, accountId), (trx) => tenantUsage.read(trx, id, span));
const lease = (tenant: string, from: string, to: string | null) =>
  givenLease(owner, park.accountId, { tenant, space, from, to });
const totalOf = ({ use }: Awaited<ReturnType<typeof read>>) =>
  use.spans.reduce((sum, { units }) => sum + units, 0n);
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

describe('a tenant reads', () => {
  beforeEach(() => givenReadings(owner, energy, steady('2026-11-09T23:00:00Z', '2026-11-16T23:00:00Z')));

  test('the days of its lease and not a quarter hour more, two tenants one after the other', async () => {
    await lease(first, '2026-01-01', '2026-11-12');
    await lease(second, '2026-11-14', null);
    const [before, after] = [await read(first), await read(second)];
    expect([iso(before.use.spans[0]?.begins), iso(before.use.spans.at(-1)?.ends)]).toEqual([
      '2026-11-09T23:00:00.000Z',
      '2026-11-11T23:00:00.000Z',
    ]);
    expect([iso(after.use.spans[0]?.begins), iso(after.use.spans.at(-1)?.ends)]).toEqual([
      '2026-11-13T23:00:00.000Z',
      '2026-11-16T23:00:00.000Z',
    ]);
    expect([totalOf(before), totalOf(after)]).toEqual([2n * 96n * 10n, 3n * 96n * 10n]);
  });

  test('two leases of its own that meet as one, and a pause between two as nothing', async () => {
    await lease(first, '2026-11-01', '2026-11-11');
    await lease(first, '2026-11-11', '2026-11-12');
    await lease(first, '2026-11-15', null);
    const { held, use } = await read(first);
    expect(held.map(({ from, to }) => [iso(from), iso(to)])).toEqual([
      ['2026-11-09T23:00:00.000Z', '2026-11-11T23:00:00.000Z'],
      ['2026-11-14T23:00:00.000Z', '2026-11-16T23:00:00.000Z'],
    ]);
    expect(use.spans).toHaveLength(4 * 96);
  });

  test.each([
    ['before its lease begins', '2026-11-20', null],
    ['after its lease ended', '2026-01-01', '2026-11-10'],
  ])('nothing %s', async (_when, from, to) => {
    await lease(first, from, to);
    expect(await read(first)).toEqual({ held: [], use: { scale: 2, spans: [] } });
  });

  test('nothing of a space that it does not lease, nor anybody without a tenant or of another account', async () => {
    await lease(first, '2026-01-01', null);
    const foreign = await givenPark(owner);
    const stranger = await givenTenant(owner, foreign.accountId);
    for (const [tenant, account] of [
      [second, park.accountId],
      [null, park.accountId],
      [stranger, foreign.accountId],
      [first, foreign.accountId],
      [newId(), park.accountId],
    ] as const)
      expect((await read(tenant, week, point, account)).use.spans).toEqual([]);
    expect((await read(first)).use.spans).toHaveLength(7 * 96);
  });
});

test('without a single WHERE clause a tenant finds its own usage points and nothing of any meter', async () => {
  const other = await givenSpace(owner, park.accountId, park.gateways[0]!.buildingId);
  const foreign = await givenUsagePoint(owner, park.accountId, other);
  await lease(first, '2026-01-01', null);
  await givenLease(owner, park.accountId, { tenant: second, space: other, from: '2026-01-01', to: null });
  const all = (tenant: string | null, table: string) =>
    withActor(database.app, as(tenant), async (trx) =>
      (await sql<{ id: string }>`select id from ${sql.table(table)}`.execute(trx)).rows.map(({ id }) => id),
    );
  expect(await all(first, 'usage_point')).toEqual([point]);
  expect(await all(second, 'usage_point')).toEqual([foreign]);
  expect(await all(null, 'usage_point')).toEqual([point, foreign]);
  expect(await all(first, 'meter_installation')).toEqual([]);
  expect(await all(null, 'meter_installation')).not.toEqual([]);
  expect(await all(first, 'point')).toEqual([]);
  for (const call of [
    'reading_register_at_num(1, array[now()])',
    'reading_register_last_num(1, now(), now())',
  ])
    await expect(
      withActor(database.app, as(first), (trx) => sql.raw(`select * from ${call}`).execute(trx)),
    ).rejects.toThrow('permission denied');
});

describe('registers', () => {
  beforeEach(() => lease(first, '2026-01-01', null));

  test('a silence is one span that keeps the difference, and nothing is said after the last reading', async () => {
    const rows = steady('2026-11-09T23:00:00Z', '2026-11-10T11:00:00Z');
    await givenReadings(
      owner,
      energy,
      rows.filter(
        ([at]) => at <= Date.parse('2026-11-10T01:00:00Z') || at >= Date.parse('2026-11-10T05:00:00Z'),
      ),
    );
    const { spans } = (await read(first)).use;
    const long = spans.filter(({ begins, ends }) => ends - begins > QUARTER);
    expect(long).toEqual([
      { begins: Date.parse('2026-11-10T01:00:00Z'), ends: Date.parse('2026-11-10T05:00:00Z'), units: 160n },
    ]);
    expect(iso(spans.at(-1)?.ends)).toBe('2026-11-10T11:00:00.000Z');
  });

  test('the running day ends at the last reading', async () => {
    await givenReadings(owner, energy, [
      ...steady('2026-11-22T08:00:00Z', '2026-11-22T09:45:00Z'),
      ['2026-11-22T09:52:00Z', 1_075],
    ]);
    const { use } = await read(first, {
      from: new Date('2026-11-22T08:00:00Z'),
      to: new Date('2026-11-23T08:00:00Z'),
      now,
    });
    expect(use.spans.at(-1)).toEqual({
      begins: Date.parse('2026-11-22T09:45:00Z'),
      ends: Date.parse('2026-11-22T09:52:00Z'),
      units: 5n,
    });
  });

  test.each([
    ['rolls over goes on', [99_995, 4, 50], [9n, 46n]],
    ['is five digits long and shows fewer rolls over at none of them', [995, 4, 50], [46n]],
    ['falls from its last tenth was exchanged by somebody', [94_995, 4, 50], [46n]],
    ['falls from its last hundredth to anything but its first was, too', [99_995, 1_004, 1_050], [46n]],
  ])('one that %s', async (_what, shown, used) => {
    const at = ['2026-11-10T00:00:00Z', '2026-11-10T00:15:00Z', '2026-11-10T00:30:00Z'];
    await givenReadings(owner, energy, [
      [at[0]!, shown[0]!, 1],
      [at[1]!, shown[1]!, 1],
      [at[2]!, shown[2]!, 1],
    ]);
    const { spans } = (await read(first)).use;
    expect(spans.map(({ units }) => units)).toEqual(used);
    expect(spans.map(({ isRollover = false }) => isRollover)).toEqual(used.map((units) => units === 9n));
  });

  test('an exchange is bridged by the indexes written down, each meter with its own multiplier', async () => {
    const next = park.gateways[0]!.meters[1]!.points[1]!;
    await owner.query('delete from meter_installation where usage_point_id = $1', [point]);
    const at = '2026-11-10T10:07:00Z';
    await givenInstallation(owner, park.accountId, point, energy.id, {
      multiplier: '40',
      to: at,
      finalCounts: 500,
    });
    await givenInstallation(owner, park.accountId, point, next.id, {
      multiplier: '2.5',
      from: at,
      startCounts: 7,
    });
    await givenReadings(owner, energy, [['2026-11-10T10:00:00Z', 490, 1]]);
    await givenReadings(owner, next, [['2026-11-10T10:15:00Z', 11, 1]]);
    const { use } = await read(first);
    expect(use).toEqual({
      scale: 3, // 0.01 kWh x 2.5
      spans: [
        { begins: Date.parse('2026-11-10T10:00:00Z'), ends: Date.parse(at), units: 10n * 400n },
        { begins: Date.parse(at), ends: Date.parse('2026-11-10T10:15:00Z'), units: 4n * 25n },
      ],
    });
    await expect(givenInstallation(owner, park.accountId, point, energy.id)).rejects.toThrow(
      'has a meter at that time',
    );
  });
});
