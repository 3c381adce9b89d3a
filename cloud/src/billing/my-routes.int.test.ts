import type { History, Usage, UsagePoint, UsageSummary } from '@parkline/contract';
import { beforeEach, describe, expect, test } from 'vitest';
import { createTestApp, loggedIn } from '../identity/testing.ts';
import {
  givenInstallation,
  givenLease,
  givenSpace,
  givenTenant,
  givenUsagePoint,
} from '../metering/testing.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { telemetryRoutes } from '../telemetry/index.ts';
import { givenPark, givenReadings, type TestPark, type TestPoint } from '../telemetry/testing.ts';
import { myUsageRoutes } from './my-routes.ts';
import { addDayAndNight } from './testing-tariff.ts';

const database = await clonedDatabase();
const owner = database.pool();
const QUARTER = 900_000;
const now = () => new Date('2026-11-22T10:00:00Z');
const app = await createTestApp(database.app);
await app.register(myUsageRoutes({ db: database.app, now }));
await app.register(
  telemetryRoutes({
    ...{ db: database.app, now },
    nats: new Promise(() => undefined),
    isLoggedIn: () => Promise.resolve(true),
  }),
);

let park: TestPark;
let energy: TestPoint;
let space: string;
let point: string;
let tenant: string;
let me: { cookie: string };

beforeEach(async () => {
  park = await givenPark(owner); // In Berlin: midnight is 23:00Z in November, 22:00Z in September.
  energy = park.gateways[0]!.meters[0]!.points[1]!;
  space = await givenSpace(owner, park.accountId, park.gateways[0]!.buildingId);
  point = await givenUsagePoint(owner, park.accountId, space);
  await givenInstallation(owner, park.accountId, point, energy.id);
  tenant = await givenTenant(owner, park.accountId);
  me = await loggedIn(database.owner, park.accountId, ['tenant_admin'], tenant);
});

const get = async <T>(url: string, headers = me): Promise<{ status: number; body: T }> => {
  const reply = await app.inject({ url, headers });
  return { status: reply.statusCode, body: reply.json() };
};
const usageOf = async (id: string, query: Record<string, string>) =>
  (await get<Usage>(`/api/my/usage-points/${id}/usage?${new URLSearchParams(query)}`)).body;
const lease = (from: string, to: string | null = null, of = tenant, where = space) =>
  givenLease(owner, park.accountId, { tenant: of, space: where, from, to });
/** Samples that stand for their quarter hours; `perQuarter` counts of 0.01 kWh flow in each. */
const count = (from: string, to: string, perQuarter: (at: number) => number, start = 5_000) => {
  const rows: [number, number, number][] = [];
  let shown = start;
  for (let at = Date.parse(from); at <= Date.parse(to); at += QUARTER) {
    rows.push([at, shown, 1]);
    shown += perQuarter(at);
  }
  return givenReadings(owner, energy, rows);
};
const givenTariff = (commodity?: 'water') => addDayAndNight(database.owner, park.accountId, commodity);
const day = { from: '2026-11-09T23:00:00Z', to: '2026-11-10T23:00:00Z' };

test('lists the usage points of the own spaces with the days of the lease', async () => {
  await lease('2026-02-01', '2026-05-01');
  await lease('2026-10-01', '2027-01-01');
  const foreign = await givenSpace(owner, park.accountId, park.gateways[0]!.buildingId);
  await givenUsagePoint(owner, park.accountId, foreign);
  const { body } = await get<{ items: UsagePoint[]; next: null }>('/api/my/usage-points');
  expect(body).toEqual({
    items: [
      {
        ...{ id: point, name: 'Name', commodity: 'electricity', unit: 'kWh' },
        ...{ spaceId: space, spaceName: 'Name', from: '2026-02-01', to: '2027-01-01' },
      },
    ],
    next: null,
  });
});

test('pages through many usage points without a gap or a repeat', async () => {
  await lease('2026-02-01');
  const ids = [
    point,
    await givenUsagePoint(owner, park.accountId, space, 'water'),
    await givenUsagePoint(owner, park.accountId, space, 'heat'),
  ];
  const page = async (after: string) =>
    (await get<{ items: UsagePoint[]; next: string | null }>(`/api/my/usage-points?limit=2${after}`)).body;
  const first = await page('');
  const second = await page(`&after=${first.next}`);
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
  expect(second.next).toBeNull();
});

test('refuses to begin a page anywhere but after a usage point', async () => {
  const { status, body } = await get<{ details: object[] }>('/api/my/usage-points?after=abc');
  expect([status, body.details]).toEqual([400, [expect.objectContaining({ field: 'after' })]]);
});

describe('who may ask', () => {
  test.each(['/api/my/usage-points', '/api/my/summary'])('%s is for tenants', async (url) => {
    expect((await get(url, await loggedIn(database.owner, park.accountId))).status).toBe(403);
    expect((await get(url, { cookie: '' })).status).toBe(401);
  });

  test('a usage point of another tenant, of another account or of nobody is not there', async () => {
    await lease('2026-01-01');
    const neighbour = await givenTenant(owner, park.accountId);
    const other = await givenSpace(owner, park.accountId, park.gateways[0]!.buildingId);
    await lease('2026-01-01', null, neighbour, other);
    const foreign = await givenPark(owner);
    const far = await givenSpace(owner, foreign.accountId, foreign.gateways[0]!.buildingId);
    const ids = [
      await givenUsagePoint(owner, park.accountId, other),
      await givenUsagePoint(owner, foreign.accountId, far),
      newId(),
    ];
    const query = new URLSearchParams({ ...day, by: 'hour' });
    for (const id of ids) expect((await get(`/api/my/usage-points/${id}/usage?${query}`)).status).toBe(404);
    expect((await get(`/api/my/usage-points/${point}/usage?${query}`)).status).toBe(200);
  });

  test.each([
    [{ from: day.to, to: day.from, by: 'hour' }, 'to'],
    [{ ...day, from: '2024-01-01T00:00:00Z', by: 'month' }, 'to'],
    [{ ...day, by: 'week' }, 'by'],
    [{ ...day }, 'by'],
  ])('refuses %o', async (query, field) => {
    await lease('2026-01-01');
    const { status, body } = await get<{ details: [{ field: string }] }>(
      `/api/my/usage-points/${point}/usage?${new URLSearchParams(query as Record<string, string>)}`,
    );
    expect([status, body.details[0].field]).toEqual([400, field]);
  });
});

describe('use', () => {
  test('is what the engineer sees of the same meter, by hour, day and month, gaps and all', async () => {
    await lease('2026-01-01');
    const rows: [number, number, number][] = [];
    for (let at = Date.parse('2026-10-20T22:00:00Z'), i = 0; at < now().getTime(); at += QUARTER, i += 1)
      if (i % 97 !== 5 && !(i > 900 && i < 1_100)) rows.push([at, 1_000 + i * 17 + (i % 13), 1]);
    rows.push([Date.parse('2026-11-22T09:58:00Z'), 60_000, 0]);
    await givenReadings(owner, energy, rows);
    const engineer = await loggedIn(database.owner, park.accountId);
    for (const by of ['hour', 'day', 'month']) {
      const query = { from: '2026-10-21T22:00:00Z', to: '2026-11-30T23:00:00Z', by };
      const { body } = await get<History>(
        `/api/points/${energy.id}/history?${new URLSearchParams(query)}`,
        engineer,
      );
      const { items } = await usageOf(point, query);
      const shape = (all: { at: string; to?: string; value: number | null; quality: string }[]) =>
        all.map(({ at, to, value, quality }) => [at, to, value, quality]);
      expect(shape(items)).toEqual(shape(body.items));
      expect(items.length).toBe({ hour: 756, day: 32, month: 2 }[by]);
      expect(items.some(({ value }) => value === null)).toBe(true);
    }
  });

  test.each([
    ['2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', 25],
    ['2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 23],
  ])('cuts the day of a clock change by the site: %s to %s has %s hours', async (from, to, hours) => {
    await lease('2026-01-01');
    await count(from, to, () => 7);
    const byDay = (await usageOf(point, { from, to, by: 'day' })).items;
    expect(byDay).toEqual([
      {
        at: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        value: (hours * 28) / 100,
        quality: 'good',
        cost: null,
      },
    ]);
    const byHour = (await usageOf(point, { from, to, by: 'hour' })).items;
    expect(byHour.map(({ value }) => value)).toEqual(Array.from({ length: hours }, () => 0.28));
  });

  test('begins and ends with the lease: a month is cut there, a day before or after is not listed', async () => {
    await lease('2026-10-30', '2026-11-03');
    await count('2026-10-20T22:00:00Z', '2026-11-09T23:00:00Z', () => 1);
    const span = { from: '2026-10-20T22:00:00Z', to: '2026-11-09T23:00:00Z' };
    const months = (await usageOf(point, { ...span, by: 'month' })).items;
    expect(months.map(({ at, to, value }) => [at, to, value])).toEqual([
      ['2026-10-29T23:00:00.000Z', '2026-10-31T23:00:00.000Z', 1.92],
      ['2026-10-31T23:00:00.000Z', '2026-11-02T23:00:00.000Z', 1.92],
    ]);
    expect((await usageOf(point, { ...span, by: 'day' })).items).toHaveLength(4);
    expect((await usageOf(point, { from: '2026-11-05T00:00:00Z', to: span.to, by: 'hour' })).items).toEqual(
      [],
    );
  });
});

describe('cost', () => {
  beforeEach(() => lease('2026-01-01'));

  test('prices every quarter hour by its band and the version of its day, rounded once per price', async () => {
    await givenTariff();
    // 0.11 kWh a quarter hour: 48 by night and 48 by day of v1, then the same of v2.
    await count('2026-11-13T23:00:00Z', '2026-11-15T23:00:00Z', () => 11);
    const { items, tariff, costKind, currency } = await usageOf(point, {
      from: '2026-11-13T23:00:00Z',
      to: '2026-11-15T23:00:00Z',
      by: 'day',
    });
    // 5.28 x 1.00 + 5.28 x 0.50; 5.28 x 1.10 = 5.808, 5.28 x 0.55 = 2.904.
    expect(items.map(({ value, cost }) => [value, cost])).toEqual([
      [10.56, '7.92'],
      [10.56, '8.71'],
    ]);
    expect({ tariff, costKind, currency }).toEqual({
      tariff: { name: 'Day and night', version: 'v2' },
      costKind: 'estimate_before_common_pools',
      currency: 'EUR',
    });
  });

  test('knows the holiday, and spreads what flowed over a silence evenly over its bands', async () => {
    await givenTariff();
    await givenReadings(owner, energy, [
      ['2026-11-10T23:00:00Z', 0, 1],
      ['2026-11-11T11:00:00Z', 0, 1], // 12:00 in Berlin, a holiday.
      ['2026-11-11T19:00:00Z', 800, 1], // 20:00: six hours of feast and two of day.
      ['2026-11-11T23:00:00Z', 800, 1],
    ]);
    const { items } = await usageOf(point, {
      from: '2026-11-10T23:00:00Z',
      to: '2026-11-11T23:00:00Z',
      by: 'day',
    });
    expect(items.map(({ value, cost }) => [value, cost])).toEqual([[8, '14.00']]);
  });

  test('tells nothing of a day on which the register fell, and leaves only that quarter hour out of the month', async () => {
    await givenTariff();
    const fall = '2026-11-10T11:45:00Z'; // From 95 % of its digits to 0; nobody wrote an exchange down.
    await count('2026-10-31T23:00:00Z', fall, () => 10, 950_000 - 10 * 914);
    await count('2026-11-10T12:00:00Z', '2026-11-22T09:45:00Z', () => 10, 0);
    const [bucket] = (await usageOf(point, { ...day, by: 'day' })).items;
    expect(bucket).toMatchObject({ value: null, quality: 'uncertain', cost: null });
    const { body } = await get<UsageSummary>('/api/my/summary');
    const quarters = (21 * 24 + 10.75) * 4 - 1;
    expect(body.items[0]).toMatchObject({ use: quarters / 10 });
    const month = { from: '2026-10-31T23:00:00Z', to: '2026-11-30T23:00:00Z', by: 'month' };
    expect((await usageOf(point, month)).items).toMatchObject([{ value: null, cost: null }]);
  });

  test('is null without a tariff or a use, and a tariff of water prices no electricity', async () => {
    await givenTariff('water');
    await count('2026-11-10T00:00:00Z', '2026-11-10T02:00:00Z', () => 10);
    const hours = (
      await usageOf(point, { from: '2026-11-10T01:00:00Z', to: '2026-11-10T04:00:00Z', by: 'hour' })
    ).items;
    expect(hours.map(({ value, cost }) => [value, cost])).toEqual([
      [0.4, null],
      [null, null],
      [null, null],
    ]);
  });

  test('a version that is stored stays as it is', async () => {
    expect([await givenTariff(), await givenTariff()]).toEqual(['added', 'known']);
    await expect(
      owner.query(`update tariff_version set body = '{}' where account_id = $1`, [park.accountId]),
    ).rejects.toThrow('never changed');
  });
});

describe('the summary', () => {
  test('adds up the running month beside the same span of last month, and the hours of today', async () => {
    await givenTariff();
    await lease('2026-10-20');
    const second = await givenUsagePoint(owner, park.accountId, space);
    await givenInstallation(owner, park.accountId, second, park.gateways[0]!.meters[1]!.points[1]!.id);
    await count('2026-10-19T22:00:00Z', '2026-11-22T09:45:00Z', () => 10);
    const { body } = await get<UsageSummary>('/api/my/summary');
    const quarters = (21 * 24 + 10.75) * 4; // From 2026-10-31T23:00Z to 09:45Z on the 22nd.
    const lastQuarters = (3 * 24 - 13) * 4; // The lease began on 20 October; until 11:00 in Berlin on the 22nd.
    expect(body).toMatchObject({
      ...{ timezone: 'Europe/Berlin', currency: 'EUR', tenantName: 'Name', month: '2026-11' },
      ...{ from: '2026-10-31T23:00:00.000Z', until: '2026-11-22T10:00:00.000Z' },
      tariff: { name: 'Day and night', version: 'v2' },
      items: [
        {
          ...{ commodity: 'electricity', unit: 'kWh', use: quarters / 10 },
          lastMonth: { use: lastQuarters / 10 },
        },
      ],
    });
    // The second meter never said a word: half of what is held is known, less the last quarter hour.
    expect(body.items[0]!.completeness).toBeCloseTo(quarters / ((21 * 24 + 11) * 4) / 2, 6);
    expect(body.today).toHaveLength(11);
    expect(body.today.every(({ value, cost }) => value === null && cost === null)).toBe(true);
    await owner.query('delete from meter_installation where usage_point_id = $1', [second]);
    await owner.query('delete from usage_point where id = $1', [second]);
    const { today } = (await get<UsageSummary>('/api/my/summary')).body;
    expect(today.slice(0, 2).map(({ value, cost }) => [value, cost])).toEqual([
      [0.4, '0.22'],
      [0.4, '0.22'],
    ]);
    // Its register is not known at 10:00 yet.
    expect(today.at(-1)).toMatchObject({ at: '2026-11-22T09:00:00.000Z', value: null, cost: null });
  });

  test('says null, not zero, where nothing is known', async () => {
    await lease('2026-11-01');
    const { body } = await get<UsageSummary>('/api/my/summary');
    expect(body.items).toEqual([
      { commodity: 'electricity', unit: 'kWh', use: null, cost: null, lastMonth: null, completeness: 0 },
    ]);
  });

  test('of a tenant without a lease is not there', async () => {
    expect((await get('/api/my/summary')).status).toBe(404);
  });
});
