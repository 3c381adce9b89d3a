import { randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InjectOptions } from 'fastify';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { systemNow as now } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { createSecrets, newKeyLine } from '../platform/secrets.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { fleetRoutes } from './routes.ts';
import { thingRoutes } from './thing-routes.ts';
import { givenFleet, mixedPark } from './testing.ts';

/** What a test may ask for. */
type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Devices, points and buses of one account, another account beside it, and the API that administers them. */
export async function serveThings() {
  const { app: db, owner, pool } = await clonedDatabase();
  const sqlPool = pool();
  const [ours, theirs] = [await givenAccount(owner), await givenAccount(owner)];
  await givenFleet(owner, ours, mixedPark);
  await givenFleet(owner, theirs, mixedPark);
  const keyFile = join(mkdtempSync(join(tmpdir(), 'parkline-things-')), 'keys');
  writeFileSync(keyFile, newKeyLine('one'));
  const secrets = createSecrets(keyFile);

  /** Points that have readings, by id. */
  const read = new Set<string>();
  const withReadings = (_db: unknown, _account: string, ids: readonly string[]) =>
    Promise.resolve(new Set(ids.filter((id) => read.has(id))));
  const app = await createTestApp(db);
  await app.register(fleetRoutes({ db, now }));
  await app.register(thingRoutes({ db, now, newId, secrets, withReadings }));
  const me = await loggedIn(owner, ours);
  const stranger = await loggedIn(owner, theirs);

  async function ask(method: Method, url: string, options: InjectOptions = {}) {
    const reply = await app.inject({ method, url, ...options, headers: { ...me, ...options.headers } });
    const isJson = String(reply.headers['content-type']).startsWith('application/json');
    return {
      status: reply.statusCode,
      body: isJson ? reply.json() : reply.body,
      etag: String(reply.headers['etag']),
    };
  }
  const at = (etag: string) => ({ headers: { 'if-match': etag } });
  const idOf = async (table: string, key: string, account = ours): Promise<string> =>
    (await sqlPool.query(`select id from ${table} where account_id = $1 and key = $2`, [account, key]))
      .rows[0].id;
  const [gatewayId, buildingId, floorId, spaceId, main, ahu] = [
    ...[await idOf('gateway', 'gw-m'), await idOf('building', 'm'), await idOf('floor', 'm-1')],
    ...[await idOf('space', 'm-101'), await idOf('equipment', 'm-main'), await idOf('equipment', 'm-ahu')],
  ] as const;
  const foreign = {
    space: await idOf('space', 'm-101', theirs),
    floor: await idOf('floor', 'm-1', theirs),
    gateway: await idOf('gateway', 'gw-m', theirs),
  };
  const meter = (over: object = {}) => ({
    ...{
      key: `m-${randomUUID().slice(0, 8)}`,
      name: { en: 'New', zh: '新表' },
      template: 'three-phase-meter/carlo-em24',
    },
    ...{ gatewayId, buildingId, floorId, spaceId, bus: 'm-panel', params: { unit: 40, transport: 'tcp' } },
    ...{ submeterOfId: main, serves: [], tags: {}, brick: null },
    ...over,
  });
  const audited = async (id: string) =>
    (await sqlPool.query('select action, content from audit_event where subject_id = $1 order by seq', [id]))
      .rows;
  const rowsOf = async (sql: string) => (await sqlPool.query(sql)).rows;
  return {
    ...{ db, secrets, read, ours, stranger, ask, at, idOf, rowsOf, audited, meter, foreign },
    ...{ gatewayId, buildingId, floorId, spaceId, main, ahu },
  };
}
