import { beforeEach, expect, test } from 'vitest';
import { clonedDatabase } from '../platform/testing.ts';
import { catchUpLatest, createLatest } from './latest.ts';
import { createRows } from './sample.ts';
import { givenPark, givenReadings, type TestGateway } from './testing.ts';

const database = await clonedDatabase();
const owner = database.pool();
const pool = database.pool('parkline_ingest');
const now = Date.UTC(2026, 10, 22, 10);

let gateway: TestGateway;
beforeEach(async () => {
  gateway = (await givenPark(owner)).gateways[0]!;
});

/** Rows as [index of the point, seconds before now, value]. */
function block(...samples: readonly (readonly [p: number, ago: number, value: number])[]) {
  const rows = createRows(samples.length);
  samples.forEach(([p, ago, value], i) => {
    rows.num[i] = gateway.points[p]!.num;
    rows.at[i] = now - ago * 1_000;
    rows.value[i] = value;
  });
  return rows;
}
const tableOf = ({ points }: TestGateway) => ({
  nums: Int32Array.from(points.map(({ num }) => num)),
  points: [...points],
});
const stored = async () =>
  (
    await owner.query<{ value: number }>(
      'select value from point_latest where point_num = any($1) order by point_num',
      [gateway.points.map(({ num }) => num)],
    )
  ).rows.map(({ value }) => value);

test('moves forward only, whatever order rows come in, and is written together', async () => {
  const latest = createLatest(pool);
  const table = tableOf(gateway);
  expect(latest.offer([block([0, 10, 1], [1, 10, 100]), block([0, 5, 2])], table, now)).toEqual([
    { pointId: gateway.points[0]!.id, at: now - 5_000, value: 2, q: 0 },
    { pointId: gateway.points[1]!.id, at: now - 10_000, value: 1, q: 0 },
  ]);
  expect(latest.offer([block([0, 7, 3])], table, now)).toEqual([]);
  await latest.flush();
  expect(await stored()).toEqual([2, 100]);
});

test('does not go back for another process that knows older values only', async () => {
  const [ahead, behind] = [createLatest(pool), createLatest(pool)];
  ahead.offer([block([0, 1, 5])], tableOf(gateway), now);
  behind.offer([block([0, 9, 4])], tableOf(gateway), now);
  await ahead.flush();
  await behind.flush();
  expect(await stored()).toEqual([5]);
});

test('is not frozen by a clock that runs ahead', async () => {
  const latest = createLatest(pool);
  latest.offer([block([0, -7_200, 9], [0, 3, 1])], tableOf(gateway), now);
  await latest.flush();
  expect(await stored()).toEqual([1]);
});

test('keeps what could not be written for the next time', async () => {
  let isAway = true;
  const flaky = {
    query: (...args: [string, unknown[]]) =>
      isAway ? Promise.reject(new Error('away')) : pool.query(...args),
  };
  const latest = createLatest(flaky as unknown as typeof pool);
  latest.offer([block([0, 3, 1], [1, 3, 7])], tableOf(gateway), now);
  await expect(latest.flush()).rejects.toThrow('away');
  latest.offer([block([0, 2, 2])], tableOf(gateway), now);
  isAway = false;
  await latest.flush();
  expect(await stored()).toEqual([2, 7]);
});

test('finds after a restart what was only in memory', async () => {
  await givenReadings(owner, gateway.points[0]!, [
    [now - 9_000, 1],
    [now - 1_000, 2],
    [now + 7_200_000, 3],
  ]);
  await catchUpLatest(pool, new Date(now));
  expect(await stored()).toEqual([2]);
});
