import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestApp, loggedIn } from '../identity/testing.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { catchUpLatest } from './latest.ts';
import { telemetryRoutes } from './routes.ts';
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

describe('GET /api/points', () => {
  test('shows the latest value in engineering units, and the name in the language asked for', async () => {
    await givenReadings(owner, energy, [
      ['2026-11-22T09:00:00Z', 1_234_566],
      ['2026-11-22T09:01:00Z', 1_234_567],
    ]);
    await catchUpLatest(database.pool('parkline_ingest'), now());
    const { id: equipment } = park.gateways[0]!.meters[0]!;
    const reply = await get(`/api/points?equipment=${equipment}`, { 'accept-language': 'zh-CN,en;q=0.5' });
    expect(reply.json()).toEqual({
      next: null,
      items: [
        expect.objectContaining({
          id: power.id,
          name: '总有功功率',
          value: null,
          at: null,
          quality: null,
          staleAfterMs: 70_000,
        }),
        {
          id: energy.id,
          name: '正向有功电能',
          unit: 'kWh',
          protocol: 'modbus',
          value: 12_345.67,
          at: '2026-11-22T09:01:00.000Z',
          quality: 'good',
          equipmentId: equipment,
          key: 'active_energy_import',
          kind: 'register',
          decimals: 2,
          staleAfterMs: 420_000,
        },
      ],
    });
  });

  test('gives every point of the account once over its pages, and none of another', async () => {
    const seen: string[] = [];
    let after = '';
    for (let page = 0; page < 9; page += 1) {
      const { items, next } = (await get(`/api/points?limit=3${after}`)).json();
      seen.push(...items.map(({ id }: { id: string }) => id));
      if (!next) break;
      after = `&after=${next}`;
    }
    expect(seen).toEqual(park.gateways.flatMap(({ points }) => points.map(({ id }) => id)));
  });

  const cursor = (...parts: unknown[]) => `after=${Buffer.from(JSON.stringify(parts)).toString('base64url')}`;
  test.each([
    ...['limt=5', 'limit=0', 'limit=501', 'equipment=7', 'protocol=%00', 'after=nonsense'],
    ...[cursor('a', 2 ** 31), cursor('a', 1e300), cursor('a\0', 1), cursor(null)],
  ])('refuses ?%s and names it', async (query) => {
    const reply = await get(`/api/points?${query}`);
    expect([reply.statusCode, reply.json().details[0].field]).toEqual([400, query.split('=')[0]]);
  });

  test('filters by building and protocol; a foreign building is empty', async () => {
    const count = async (query: string) => (await get(`/api/points?${query}`)).json().items.length;
    expect(await count(`building=${park.gateways[0]!.buildingId}`)).toBe(8);
    expect(await count(`building=${foreign.gateways[0]!.buildingId}`)).toBe(0);
    expect(await count('protocol=bacnet')).toBe(0);
  });
});

test('the functions behind the history answer for the current account only', async () => {
  await givenReadings(owner, power, [['2026-11-20T00:00:00Z', 1]]);
  const client = await database.pool('parkline_app').connect();
  const count = async () =>
    (await client.query(`select from reading_raw($1, '2026-11-01', '2026-12-01', 10)`, [power.id])).rowCount;
  try {
    expect(await count()).toBe(0);
    await client.query(`select set_config('app.account_id', $1, false)`, [foreign.accountId]);
    expect(await count()).toBe(0);
    await client.query(`select set_config('app.account_id', $1, false)`, [park.accountId]);
    expect(await count()).toBe(1);
  } finally {
    client.release(true);
  }
});
