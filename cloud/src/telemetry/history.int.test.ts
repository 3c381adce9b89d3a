import type { History, HistoryItem } from '@parkline/contract';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestApp, loggedIn } from '../identity/testing.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { telemetryRoutes } from './routes.ts';
import { flag } from './sample.ts';
import { givenPark, givenReadings, type TestPark, type TestPoint } from './testing.ts';

const database = await clonedDatabase();
const owner = database.pool();
let clock = '2026-11-22T10:00:00Z';
const now = () => new Date(clock);
const app = await createTestApp(database.app);
await app.register(
  telemetryRoutes({
    db: database.app,
    now,
    nats: new Promise(() => undefined),
    isLoggedIn: () => Promise.resolve(true),
  }),
);

let park: TestPark;
let foreign: TestPark;
let headers: { cookie: string };
let power: TestPoint;
let energy: TestPoint;
beforeAll(async () => {
  foreign = await givenPark(owner);
});
beforeEach(async () => {
  clock = '2026-11-22T10:00:00Z';
  park = await givenPark(owner, { gateways: 2 });
  headers = await loggedIn(database.owner, park.accountId);
  [power, energy] = park.gateways[0]!.points as [TestPoint, TestPoint];
});

const get = (url: string, more: Record<string, string> = {}) =>
  app.inject({ url, headers: { ...headers, ...more } });
const history = async (point: TestPoint, query: Record<string, string>): Promise<History> =>
  (await get(`/api/points/${point.id}/history?${new URLSearchParams(query)}`)).json();
const values = (items: readonly HistoryItem[]) => items.map(({ value }) => value);
const hours = (from: string, count: number) =>
  Array.from({ length: count }, (_, h) => Date.parse(from) + h * 3_600_000);

describe('GET /api/points/:id/history', () => {
  const day = { from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' };

  test('does not know a point of another account, nor one that is not there', async () => {
    const query = new URLSearchParams(day);
    for (const id of [foreign.gateways[0]!.points[0]!.id, park.accountId])
      expect((await get(`/api/points/${id}/history?${query}`)).statusCode).toBe(404);
  });

  test.each([
    [{ ...day, to: day.from }, 'to'],
    [{ ...day, from: '2024-01-01T00:00:00Z' }, 'to'],
    [{ ...day, from: 'yesterday' }, 'from'],
    [{ ...day, after: '2020-01-01T00:00:00Z' }, 'after'],
    [{ ...day, by: 'week' }, 'by'],
  ])('refuses %o', async (query, field) => {
    const reply = await get(`/api/points/${power.id}/history?${new URLSearchParams(query)}`);
    expect([reply.statusCode, reply.json().details[0].field]).toEqual([400, field]);
  });

  test('raw: pages meet without a hole or a repeat, values are as measured, bad ones are null', async () => {
    const rows = hours(day.from, 24).map((at, i) => [at, i === 5 ? null : 200 + i / 10] as const);
    await givenReadings(owner, power, rows);
    const got: (number | null)[] = [];
    let after: string | null = null;
    do {
      const page: History = await history(power, { ...day, limit: '7', ...(after && { after }) });
      got.push(...values(page.items));
      after = page.next;
    } while (after);
    expect(got).toEqual(rows.map(([, value]) => value));
    expect((await history(power, day)).items[5]).toEqual({
      at: '2026-11-20T05:00:00.000Z',
      value: null,
      quality: 'bad',
    });
  });

  test('gauge: the mean is over time, however often a sample came, also across the edge of an hour', async () => {
    await givenReadings(owner, power, [
      ['2026-11-20T01:00:00Z', 0],
      ['2026-11-20T01:01:00Z', 60],
      ['2026-11-20T01:01:05Z', 60],
      ['2026-11-20T01:01:10Z', 60],
      ['2026-11-20T01:01:15Z', null], // 60 s of 0 and 15 s of 60.
      ['2026-11-20T01:59:30Z', 100],
      ['2026-11-20T02:00:20Z', 0],
      ['2026-11-20T02:00:40Z', null],
      ['2026-11-20T02:59:30Z', 8], // Held into an hour without a sample of its own.
    ]);
    const { items } = await history(power, {
      from: '2026-11-20T01:00:00Z',
      to: '2026-11-20T04:00:00Z',
      by: 'hour',
    });
    expect(items.map(({ value, min, max }) => [value, min, max])).toEqual([
      [Number(((900 + 3_000) / 105).toPrecision(12)), 0, 100],
      [(2_000 + 0 + 240) / 70, 0, 8],
      [null, null, null],
    ]);
    const [second] = (
      await history(power, { from: '2026-11-20T02:00:00Z', to: '2026-11-20T03:00:00Z', by: 'hour' })
    ).items;
    expect(second).toEqual(items[1]);
  });

  test('a reading whose time the gateway itself doubts says so', async () => {
    await givenReadings(owner, power, [
      ['2026-11-20T01:10:00Z', 2],
      ['2026-11-20T01:11:00Z', 3, flag.suspect],
    ]);
    const span = { from: '2026-11-20T01:00:00Z', to: '2026-11-20T02:00:00Z', by: 'raw' };
    expect((await history(power, span)).items.map(({ timeSuspect }: HistoryItem) => timeSuspect)).toEqual([
      undefined,
      true,
    ]);
  });

  test('gauge: mean, least and greatest of the good samples; a bucket without any is null, never zero', async () => {
    await givenReadings(owner, power, [
      ['2026-11-20T01:10:00Z', 2],
      ['2026-11-20T01:20:00Z', 4],
      ['2026-11-20T01:30:00Z', null],
      ['2026-11-20T03:00:00Z', 7, flag.simulated],
    ]);
    const { items } = await history(power, {
      from: '2026-11-20T01:00:00Z',
      to: '2026-11-20T04:00:00Z',
      by: 'hour',
    });
    expect(items).toEqual([
      {
        at: '2026-11-20T01:00:00.000Z',
        to: '2026-11-20T02:00:00.000Z',
        value: 3,
        min: 2,
        max: 4,
        quality: 'bad',
      },
      {
        at: '2026-11-20T02:00:00.000Z',
        to: '2026-11-20T03:00:00.000Z',
        value: null,
        min: null,
        max: null,
        quality: 'bad',
      },
      {
        at: '2026-11-20T03:00:00.000Z',
        to: '2026-11-20T04:00:00.000Z',
        value: 7,
        min: 7,
        max: 7,
        quality: 'good',
        simulated: true,
      },
    ]);
  });

  test.each([
    ['2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', 25],
    ['2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 23],
  ])('cuts the day of a clock change by the site: %s to %s has %s hours', async (from, to, count) => {
    const readings = hours(from, count + 1).map((at, i) => [at, 1_000 + i * 7, flag.boundary] as const);
    await givenReadings(owner, energy, readings);
    await givenReadings(
      owner,
      power,
      hours(from, count).map((at, i) => [at, i] as const),
    );

    const days = (await history(energy, { from, to, by: 'day' })).items;
    expect(days).toEqual([
      {
        at: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        value: (count * 7) / 100,
        quality: 'good',
      },
    ]);
    const parts = (await history(energy, { from, to, by: 'hour' })).items;
    expect(values(parts)).toEqual(Array.from({ length: count }, () => 0.07));
    const gauge = (await history(power, { from, to, by: 'hour' })).items;
    expect(values(gauge)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  test('register: hours sum to the day and days to the month, also where single readings are missing', async () => {
    const from = Date.parse('2026-09-30T22:00:00Z'); // October in Berlin: 31 days and one hour.
    const count = (31 * 24 + 1) * 4 + 1;
    const rows = Array.from(
      { length: count },
      (_, i) => [from + i * 900_000, 5_000 + i * i, flag.boundary] as const,
    );
    await givenReadings(
      owner,
      energy,
      rows.filter((_, i) => i % 96 !== 50),
    );
    const span = { from: new Date(from).toISOString(), to: '2026-10-31T23:00:00Z' };
    const sum = (items: readonly HistoryItem[]) =>
      Math.round(items.reduce((all, { value }) => all + (value ?? 0), 0) * 100);
    const [byHour, byDay, byMonth] = await Promise.all(
      ['hour', 'day', 'month'].map(async (by) => (await history(energy, { ...span, by })).items),
    );
    expect([byHour!.length, byDay!.length, byMonth!.length]).toEqual([745, 31, 1]);
    expect(byDay!.every(({ quality }) => quality === 'good')).toBe(true);
    expect(sum(byDay!)).toBe((count - 1) ** 2);
    expect(sum(byMonth!)).toBe((count - 1) ** 2);
    expect(byHour!.slice(0, 12).every(({ quality }) => quality === 'good')).toBe(true);
    expect(sum(byHour!.slice(0, 12))).toBe(48 ** 2);
  });

  test('register: takes the sample marked for the quarter hour, else a straight line, else nothing', async () => {
    await givenReadings(owner, energy, [
      ['2026-11-20T00:59:30Z', 90],
      ['2026-11-20T01:00:08Z', 100, flag.boundary],
      ['2026-11-20T01:55:00Z', 200],
      ['2026-11-20T02:05:00Z', 220],
      ['2026-11-20T02:50:00Z', 300],
      ['2026-11-20T03:06:00Z', 320],
      ['2026-11-20T04:00:00Z', 400],
    ]);
    const { items } = await history(energy, {
      from: '2026-11-20T01:00:00Z',
      to: '2026-11-20T04:00:00Z',
      by: 'hour',
    });
    expect(items.map(({ value, quality }) => [value, quality])).toEqual([
      [1.1, 'good'],
      [null, 'uncertain'],
      [null, 'uncertain'],
    ]);
  });

  test('register: the hour that is not over shows its use so far; hours to come are not there', async () => {
    clock = '2026-11-20T01:30:00Z';
    await givenReadings(owner, energy, [
      ['2026-11-20T00:00:00Z', 0],
      ['2026-11-20T01:00:00Z', 100],
      ['2026-11-20T01:29:00Z', 150],
    ]);
    const { items } = await history(energy, { ...day, by: 'hour' });
    expect(items.map(({ value, quality }) => [value, quality])).toEqual([
      [1, 'good'],
      [0.5, 'uncertain'],
    ]);
    const { items: running } = await history(energy, {
      from: '2026-11-20T00:00:00Z',
      to: '2026-11-22T00:00:00Z',
      by: 'day',
    });
    expect(running.length).toBe(1);
  });

  test('register: a roll-over is a guess at the use and says so, a step back is unknown', async () => {
    await givenReadings(owner, energy, [
      ['2026-11-20T00:00:00Z', 9_999_950],
      ['2026-11-20T01:00:00Z', 50],
      ['2026-11-20T02:00:00Z', 40],
    ]);
    const { items } = await history(energy, {
      from: '2026-11-20T00:00:00Z',
      to: '2026-11-20T02:00:00Z',
      by: 'hour',
    });
    expect(items.map(({ value, quality }) => [value, quality])).toEqual([
      [1, 'uncertain'],
      [null, 'uncertain'],
    ]);
  });

  test('tells silences that are too long, clipped to what was asked, up to now', async () => {
    clock = '2026-11-20T12:00:00Z';
    await givenReadings(owner, power, [
      ['2026-11-20T00:59:00Z', 1],
      ['2026-11-20T01:00:00Z', 1],
      ['2026-11-20T01:01:10Z', 1], // 70 s: just not stale.
      ['2026-11-20T01:02:20.001Z', 1],
      ['2026-11-20T01:03:00Z', 1],
      ['2026-11-20T05:00:00Z', 1],
    ]);
    const { gaps } = await history(power, { from: '2026-11-20T01:00:30Z', to: '2026-11-21T00:00:00Z' });
    expect(gaps).toEqual([
      { from: '2026-11-20T01:01:10.000Z', to: '2026-11-20T01:02:20.001Z' },
      { from: '2026-11-20T01:03:00.000Z', to: '2026-11-20T05:00:00.000Z' },
      { from: '2026-11-20T05:00:00.000Z', to: '2026-11-20T12:00:00.000Z' },
    ]);
    const inside = await history(power, {
      from: '2026-11-20T02:00:00Z',
      to: '2026-11-20T03:00:00Z',
      by: 'hour',
    });
    expect(inside.gaps).toEqual([{ from: '2026-11-20T02:00:00.000Z', to: '2026-11-20T03:00:00.000Z' }]);
  });

  test('does not take the quarter hours of an imported history for silence', async () => {
    const rows = Array.from(
      { length: 5 },
      (_, i) => [Date.parse(day.from) + i * 900_000, i, flag.imported] as const,
    );
    await givenReadings(owner, energy, [...rows, ['2026-11-20T01:05:00Z', 9], ['2026-11-20T01:20:00Z', 9]]);
    const { gaps } = await history(energy, { from: day.from, to: '2026-11-20T01:20:00Z' });
    expect(gaps).toEqual([{ from: '2026-11-20T01:05:00.000Z', to: '2026-11-20T01:20:00.000Z' }]);
  });
});
