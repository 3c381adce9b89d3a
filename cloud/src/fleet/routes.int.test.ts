import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { placeRoutes } from '../places/index.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { newId } from '../platform/ids.ts';
import { createSecrets } from '../platform/secrets.ts';
import { fleetRoutes } from './routes.ts';
import { status } from './status.ts';
import { givenFleet, smallPark } from './testing.ts';
import { thingRoutes } from './thing-routes.ts';

const { app: db, owner, ingest } = await clonedDatabase();
const [ours, theirs] = [await givenAccount(owner), await givenAccount(owner)];
const [gatewayA] = await givenFleet(owner, ours);
await givenFleet(owner, theirs);

const now = new Date();
const app = await createTestApp(db);
await app.register(placeRoutes({ db }));
await app.register(fleetRoutes({ db, now: () => now }));
const secrets = createSecrets(undefined);
const withReadings = () => Promise.resolve(new Set<string>());
await app.register(thingRoutes({ db, now: () => now, newId, secrets, withReadings }));
const me = await loggedIn(owner, ours);
const get = async (url: string, headers: Record<string, string> = me) => {
  const reply = await app.inject({ url, headers });
  return { status: reply.statusCode, body: reply.json() };
};
const nobody = await loggedIn(owner, ours, []);

describe.each(['/api/places', '/api/gateways', '/api/equipment', `/api/equipment/${randomUUID()}`])(
  '%s',
  (url) => {
    test('is closed to strangers and to people without a role', async () => {
      expect((await get(url, {})).status).toBe(401);
      expect((await get(url, nobody)).status).toBe(403);
      expect((await get(url, { cookie: 'parkline_session=invented' })).status).toBe(401);
    });

    test('refuses what it does not know, by name', async () => {
      const { status: code, body } = await get(`${url}?colour=red`);
      expect([code, body.details]).toEqual([400, [{ field: 'colour', message: 'is not known here' }]]);
    });
  },
);

test('places come as a tree in the language of the reader, the basement below the ground floor', async () => {
  const { body } = await get('/api/places', { ...me, 'accept-language': 'zh-CN,zh;q=0.9' });
  expect(body.sites).toMatchObject([
    {
      name: '海港',
      timezone: 'Asia/Shanghai',
      currency: 'CNY',
      buildings: [
        { name: 'A 座', floors: [{ level: -1 }, { name: '一层', level: 0 }] },
        { name: 'B 座', floors: [] },
      ],
    },
  ]);
});

describe('equipment', () => {
  test('comes page by page without a gap or a repeat', async () => {
    const whole = (await get('/api/equipment')).body;
    expect(whole.items.map(({ name }: { name: string }) => name)).toEqual(['Main', 'Sub', 'Water']);
    expect(whole.next).toBeNull();

    const first = (await get('/api/equipment?limit=2')).body;
    const second = (await get(`/api/equipment?limit=2&after=${first.next}`)).body;
    expect([...first.items, ...second.items]).toEqual(whole.items);
    expect(second.next).toBeNull();
  });

  test('says what it is, where it hangs and which points stand for it', async () => {
    const [main, sub] = (await get('/api/equipment')).body.items;
    expect(sub).toMatchObject({
      kind: 'three-phase-meter',
      template: 'three-phase-meter/carlo-em24',
      protocol: 'modbus',
      address: 'a-panel unit 2',
      submeterOfId: main.id,
      gatewayId: gatewayA?.id,
      state: 'unknown',
      powerPointId: expect.any(String),
      registerPointId: expect.any(String),
    });
    expect((await get(`/api/equipment/${sub.id}`)).body).toMatchObject(sub);
  });

  test('can be asked for by building', async () => {
    const building = (await get('/api/places')).body.sites[0].buildings[1].id;
    const { body } = await get(`/api/equipment?building=${building}`);
    expect(body.items.map(({ name }: { name: string }) => name)).toEqual(['Water']);
  });

  test('of another account does not exist', async () => {
    const stranger = await loggedIn(owner, theirs);
    const foreign = (await get('/api/equipment', stranger)).body.items[0].id;
    const [one, two] = [await get(`/api/equipment/${foreign}`), await get(`/api/equipment/${randomUUID()}`)];
    expect([one.status, two.status]).toEqual([404, 404]);
    expect(one.body.message).toBe(two.body.message);
  });

  test.each([
    ['/api/equipment/7', 'id'],
    ['/api/equipment?limit=501', 'limit'],
    ['/api/equipment?building=a', 'building'],
    ['/api/equipment?after=x', 'after'],
  ])('%s is refused, naming %s', async (url, field) => {
    const { status: code, body } = await get(url);
    expect([code, body.details[0].field]).toEqual([400, field]);
  });
});

test('a gateway that is heard shows its devices, and one that fell silent shows none', async () => {
  const gateways = async () => (await get('/api/gateways')).body.items;
  expect(await gateways()).toMatchObject([
    { name: 'Gateway A', state: 'never', outbox: null, devices: { total: 2, online: 0 } },
    { name: 'Gateway B', state: 'never', devices: { total: 1, online: 0 } },
  ]);
  const [device] = (await get('/api/equipment')).body.items;
  const health = (heardAt: Date) =>
    status.recordHealth(
      ingest,
      ours,
      {
        gatewayId: gatewayA?.id ?? '',
        at: now.getTime(),
        startedAt: now.getTime() - 60_000,
        version: '0.1.0',
        outbox: { pending: 3, oldestAt: now.getTime() - 1_000, bytes: 4_096, maxBytes: 536_870_912 },
        devices: [{ equipmentId: device.id, state: 'online', lastOkAt: now.getTime() - 500, error: null }],
      },
      heardAt,
    );
  await health(new Date(now.getTime() - 31_000));
  expect((await gateways())[0]).toMatchObject({ state: 'offline', devices: { total: 2, online: 0 } });
  expect((await get(`/api/equipment/${device.id}`)).body.state).toBe('unknown');

  await health(now);
  expect((await gateways())[0]).toMatchObject({
    state: 'online',
    lastSeenAt: now.toISOString(),
    version: '0.1.0',
    outbox: { pending: 3, bytes: 4_096, maxBytes: 536_870_912 },
    devices: { total: 2, online: 1 },
  });
  expect((await get(`/api/equipment/${device.id}`)).body).toMatchObject({
    state: 'online',
    lastOkAt: new Date(now.getTime() - 500).toISOString(),
  });
});

describe('seeding', () => {
  const everything = async (accountId: string) => ({
    equipment: await owner
      .selectFrom('equipment')
      .selectAll()
      .where('accountId', '=', accountId)
      .orderBy('id')
      .execute(),
    points: await owner
      .selectFrom('point')
      .selectAll()
      .where('accountId', '=', accountId)
      .orderBy('id')
      .execute(),
    places: await owner
      .selectFrom('floor')
      .selectAll()
      .where('accountId', '=', accountId)
      .orderBy('id')
      .execute(),
  });

  test('a second time changes nothing', async () => {
    const account = await givenAccount(owner);
    const first = [await givenFleet(owner, account), await everything(account)];
    expect(await Promise.all([givenFleet(owner, account), givenFleet(owner, account)])).toEqual([
      first[0],
      first[0],
    ]);
    expect(await everything(account)).toEqual(first[1]);
  });

  test('adds new meters, follows a new name, keeps ids and numbers', async () => {
    const account = await givenAccount(owner);
    await givenFleet(owner, account);
    const before = await everything(account);
    const more = `
      - { key: a-new, name: { en: New, zh: 新表 }, kind: water-meter, template: water-meter/tuf-2000m, bus: a-panel, unit: 3 }
  - key: b`;
    await givenFleet(
      owner,
      account,
      smallPark.replace('\n  - key: b', more).replace('en: Sub,', 'en: Renamed,'),
    );
    const after = await everything(account);
    expect(after.equipment.map(({ name }) => name.en)).toEqual(['Main', 'Renamed', 'Water', 'New']);
    expect(after.points).toEqual(expect.arrayContaining(before.points));
    expect(new Set(after.points.map(({ num }) => num)).size).toBe(after.points.length);
  });
});
