import { randomUUID } from 'node:crypto';
import type { ApiKey, MadeApiKey } from '@parkline/contract';
import { afterAll, expect, test } from 'vitest';
import { actorOf } from '../platform/access.ts';
import { withAccount, withActor } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { apiKeyRoutes } from './api-key-routes.ts';
import { audit } from './audit.ts';
import { createTestApp, givenAccount, loggedIn } from './testing.ts';

const { owner, app: db } = await clonedDatabase();
const accountId = await givenAccount(owner);
const admin = await loggedIn(owner, accountId, ['account_admin']);
const stranger = await loggedIn(owner, await givenAccount(owner), ['account_admin']);

const now = () => new Date();
const app = await createTestApp(db);
await app.register(apiKeyRoutes({ db, now, newId }));
app.get('/api/reads', { config: { permission: 'place.read' } }, async (request) => {
  const { by, buildings, permissions } = actorOf(request);
  return { by, buildings, permissions: [...permissions.keys()] };
});
app.get('/api/own', { config: { permission: 'session' } }, async () => 'mine');
app.get('/api/slow', { config: { permission: 'fault.read' } }, async () => 'here');
app.post('/api/deeds', { config: { permission: 'gateway.write', fresh: true } }, async () => 'done');
app.post('/api/notes', { config: { permission: 'place.read' } }, async (request) => {
  const actor = actorOf(request);
  const { accountId: of, personId } = actor;
  await withActor(db, actor, (trx) =>
    audit(trx, { accountId: of, at: now(), personId, action: 'note.made', details: { x: 1 } }),
  );
  return 'noted';
});
await app.ready();
afterAll(() => app.close());

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const wish = { name: 'Energy report', scopes: ['place.read'], expiresAt: inDays(30) };
const make = (payload: object, headers = admin) =>
  app.inject({ method: 'POST', url: '/api/api-keys', headers, payload });
const given = async (more: object = {}) => (await make({ ...wish, ...more })).json<MadeApiKey>();
const by = (key: string) => ({ authorization: `Bearer ${key}` });
const statusOf = async (url: string, key: string, method: 'GET' | 'POST' = 'GET') =>
  (await app.inject({ method, url, headers: by(key) })).statusCode;

test('a key is told once, opens what it was made for, and nothing else', async () => {
  const made = await make(wish);
  const { key, ...shown } = made.json<MadeApiKey>();
  expect([made.statusCode, key]).toEqual([201, expect.stringMatching(/^pk_[0-9a-f]{32}_[\w-]{43}$/)]);
  const reply = await app.inject({ url: '/api/reads', headers: by(key) });
  expect(reply.json()).toEqual({ by: 'api_key', buildings: null, permissions: ['place.read'] });
  expect(await statusOf('/api/slow', key)).toBe(403);
  expect(await statusOf('/api/own', key)).toBe(403);
  expect(await statusOf('/api/api-keys', key)).toBe(403);

  const again = await app.inject({ url: `/api/api-keys/${shown.id}`, headers: admin });
  expect(again.json<ApiKey>()).toEqual({ ...shown, lastUsedAt: expect.any(String) });
  expect(again.body).not.toContain(key.slice(-20));
  const { rows } = await owner.executeQuery<{ text: string }>(
    owner
      .selectFrom('apiKey')
      .select((eb) => eb.cast<string>('secretHash', 'text').as('text'))
      .compile(),
  );
  expect(JSON.stringify(rows)).not.toContain(key.slice(-43));
});

test('a key passes no door that asks for a fresh second factor', async () => {
  const { key } = await given({ scopes: ['gateway.write', 'place.read'] });
  expect(await statusOf('/api/deeds', key, 'POST')).toBe(403);
});

test.each([
  ['nothing', 'pk_'],
  ['another secret', `pk_${randomUUID().replaceAll('-', '')}_${'x'.repeat(43)}`],
  ['text with a quote', `pk_' or 1=1 --`],
])('%s is no key', async (_what, key) => expect(await statusOf('/api/reads', key)).toBe(401));

test('a key that came with a cookie of a living session is judged by itself', async () => {
  const reply = await app.inject({ url: '/api/reads', headers: { ...admin, ...by('pk_x') } });
  expect(reply.statusCode).toBe(401);
});

test('a revoked key is refused at once, and revoking it again changes nothing', async () => {
  const { key, id } = await given();
  expect(await statusOf('/api/reads', key)).toBe(200);
  const revoke = () => app.inject({ method: 'DELETE', url: `/api/api-keys/${id}`, headers: admin });
  const first = (await revoke()).json<ApiKey>();
  expect(await statusOf('/api/reads', key)).toBe(401);
  expect((await revoke()).json()).toEqual(first);
});

test('a key ends with its day, and with its maker', async () => {
  const { key } = await given();
  await owner
    .updateTable('apiKey')
    .set({ expiresAt: new Date(Date.now() - 1) })
    .execute();
  expect(await statusOf('/api/reads', key)).toBe(401);

  const other = await loggedIn(owner, accountId, ['account_admin']);
  const theirs = (await make(wish, other)).json<MadeApiKey>();
  expect(await statusOf('/api/reads', theirs.key)).toBe(200);
  await withAccount(owner, accountId, (trx) =>
    trx.deleteFrom('roleGrant').where('personId', '=', theirs.maker.id).execute(),
  );
  expect(await statusOf('/api/reads', theirs.key)).toBe(403);
  await owner
    .updateTable('person')
    .set({ disabledAt: new Date() })
    .where('id', '=', theirs.maker.id)
    .execute();
  expect(await statusOf('/api/reads', theirs.key)).toBe(401);
});

test.each([
  ['a right that its maker has not', { scopes: ['workorder.work'] }, 'body.scopes'],
  ['the right to make keys', { scopes: ['apikey.write'] }, 'body.scopes'],
  ['a right that nobody has', { scopes: ['all'] }, 'body.scopes'],
  ['no rights', { scopes: [] }, 'body.scopes'],
  ['a day that is over', { expiresAt: inDays(-1) }, 'body.expiresAt'],
  ['a day too far', { expiresAt: inDays(800) }, 'body.expiresAt'],
  ['a building that is not there', { buildingIds: [randomUUID()] }, 'body.buildingIds'],
])('a key with %s is not made', async (_what, more, field) => {
  const reply = await make({ ...wish, ...more });
  expect([reply.statusCode, reply.json().details[0].field]).toEqual([400, field]);
});

test('keys of another account are not there', async () => {
  const { id } = await given();
  for (const method of ['GET', 'DELETE'] as const)
    expect((await app.inject({ method, url: `/api/api-keys/${id}`, headers: stranger })).statusCode).toBe(
      404,
    );
  const list = await app.inject({ url: '/api/api-keys', headers: stranger });
  expect(list.json()).toEqual({ items: [], next: null });
});

test('what a key did is noted as done by it', async () => {
  const { key, id, maker } = await given();
  expect(await statusOf('/api/notes', key, 'POST')).toBe(200);
  const entries = await owner
    .selectFrom('auditEvent')
    .select(['action', 'personId', 'content'])
    .where('personId', '=', maker.id)
    .where('action', '=', 'note.made')
    .execute();
  expect(entries).toEqual([
    { action: 'note.made', personId: maker.id, content: { apiKeyId: id, details: { x: 1 } } },
  ]);
});
