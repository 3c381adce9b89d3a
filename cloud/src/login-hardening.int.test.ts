import { argon2Sync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { access } from './access/all.ts';
import { sessions } from './identity/index.ts';
import { givenAccount, givenPerson, loggedIn } from './identity/testing.ts';
import { withAccount } from './platform/db.ts';
import { clonedDatabase, inLanes } from './platform/testing.ts';
import { serveApi } from './testing-api.ts';

const database = await clonedDatabase();
const { owner } = database;
const portalDir = mkdtempSync(join(tmpdir(), 'parkline-portal-'));
mkdirSync(join(portalDir, '_app/immutable'), { recursive: true });
writeFileSync(join(portalDir, '200.html'), '<!doctype html><title>Parkline</title>');
writeFileSync(join(portalDir, '_app/immutable/app.js'), 'export {};');
const { app, url } = await serveApi(database, { portalDir });
const https = await serveApi(database, { portalDir, publicUrl: 'https://park.example' });
afterAll(async () => {
  await Promise.all([app.close(), https.app.close()]);
  rmSync(portalDir, { recursive: true });
});

const accountId = await givenAccount(owner);
const inAWeek = new Date(Date.now() + 7 * 86_400_000).toISOString();

test('a hundred logins at once leave the others quick', async () => {
  const someone = await loggedIn(owner, accountId, ['technician']);
  const { login } = await givenPerson(owner, { accountId });
  const started = Date.now();
  const storm = Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      fetch(`${url}/api/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ login: i % 2 ? `stranger ${i}` : login, password: 'not this one' }),
      }).then(({ status }) => status),
    ),
  );
  let over = false;
  void storm.then(() => (over = true));
  const waits: number[] = [];
  while (!over && waits.length < 500) {
    const asked = performance.now();
    expect((await fetch(`${url}/api/me`, { headers: someone })).status).toBe(200);
    waits.push(performance.now() - asked);
  }
  const lasted = Date.now() - started;
  expect((await storm).every((status) => status === 401 || status === 429)).toBe(true);
  const p95 = waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.95)] ?? 0;
  // Hashing takes its turn beside the others, whatever the machine is busy with.
  expect(p95).toBeLessThan(Math.max(500, lasted / 4));
}, 60_000);

test('a hash of weaker parameters is made anew while the password is at hand, once', async () => {
  const { id, login } = await givenPerson(owner, { accountId });
  const password = 'correct horse battery';
  const salt = randomBytes(16);
  const tag = argon2Sync('argon2id', {
    ...{ message: password, nonce: salt, parallelism: 1, tagLength: 32, memory: 64, passes: 1 },
  });
  const phc = [salt, tag].map((bytes) => bytes.toString('base64').replace(/=+$/, '')).join('$');
  const weak = `$argon2id$v=19$m=64,t=1,p=1$${phc}`;
  const person = () =>
    withAccount(owner, accountId, (trx) =>
      trx.selectFrom('person').where('id', '=', id).select('passwordHash').executeTakeFirstOrThrow(),
    );
  await withAccount(owner, accountId, (trx) =>
    trx.updateTable('person').set({ passwordHash: weak }).where('id', '=', id).execute(),
  );
  // From elsewhere than the hundred before.
  const enter = async (given: string) => {
    const payload = { login, password: given };
    const request = { method: 'POST', url: '/api/login', remoteAddress: '203.0.113.7', payload } as const;
    return (await app.inject(request)).statusCode;
  };
  expect([await enter('not this one'), (await person()).passwordHash]).toEqual([401, weak]);
  expect(await enter(password)).toBe(204);
  const { passwordHash } = await person();
  expect(passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect([await enter(password), (await person()).passwordHash]).toEqual([204, passwordHash]);
});

describe('a wall screen', () => {
  const read = (path: string, token: string, method = 'GET') =>
    fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${token}` } });
  async function made(days = 7) {
    const headers = await loggedIn(owner, accountId);
    const reply = await fetch(`${url}/api/display-tokens`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Lobby', days }),
    });
    expect(reply.status).toBe(201);
    return { headers, ...((await reply.json()) as { id: string; token: string }) };
  }

  test('reads the few things that are shown on it, and nothing else of the whole API', async () => {
    const { token } = await made();
    const closed = Object.keys(access).filter((route) => access[route]?.who !== 'anyone');
    const open = await inLanes(closed.length, 4, async (i) => {
      const [method = '', path = ''] = closed[i]!.split(' ');
      const reply = await fetch(`${url}${path.replace(/:\w+/g, '0190aaaa-0000-7000-8000-000000000000')}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
        // Without a broker the stream of live values is open and silent; a refusal would be told at once.
        ...(path === '/api/live' && { signal: AbortSignal.timeout(2_000) }),
      }).catch(() => undefined);
      await reply?.body?.cancel();
      return reply?.status === 403 ? undefined : closed[i];
    });
    expect(open.filter(Boolean).toSorted()).toEqual([
      'GET /api/changes',
      'GET /api/equipment',
      'GET /api/faults',
      'GET /api/live',
      'GET /api/places',
      'GET /api/points',
    ]);
  });

  test('is listed with its maker and without its token, and goes dark when it is revoked', async () => {
    const { headers, id, token } = await made();
    expect((await read('/api/places', token)).status).toBe(200);
    const list = await fetch(`${url}/api/display-tokens`, { headers });
    const text = await list.text();
    expect(JSON.parse(text).items[0]).toMatchObject({ id, name: 'Lobby', lastSeen: expect.any(String) });
    expect(text).not.toContain(token.split('_').at(-1));
    const revoked = await fetch(`${url}/api/display-tokens/${id}`, { method: 'DELETE', headers });
    expect([revoked.status, (await read('/api/places', token)).status]).toEqual([204, 401]);
  });

  test.each(['pd_', 'pd_x', `pd_${'0'.repeat(32)}_${'A'.repeat(43)}`])(
    'of no such token (%s) is nobody',
    async (token) => {
      expect((await read('/api/places', token)).status).toBe(401);
    },
  );

  test('like a session and an API key has its streams ended, and is refused, within five seconds', async () => {
    const { headers: maker, id, token } = await made();
    const headers = await loggedIn(owner, accountId, ['technician']);
    const { id: personId } = (await (await fetch(`${url}/api/me`, { headers })).json()) as { id: string };
    const admin = await loggedIn(owner, accountId, ['account_admin', 'facility_engineer']);
    const reply = await fetch(`${url}/api/api-keys`, {
      method: 'POST',
      headers: { ...admin, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Report', scopes: ['place.read', 'point.read'], expiresAt: inAWeek }),
    });
    const { id: keyId, key } = (await reply.json()) as { id: string; key: string };
    const opening = Date.now();
    const streams = [
      await read('/api/changes', token),
      await read('/api/live', key),
      await fetch(`${url}/api/changes`, { headers }),
    ];
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200]);
    // Also of an empty park, which has nothing to say for as long as 15 s.
    expect(Date.now() - opening).toBeLessThan(10_000);
    await fetch(`${url}/api/display-tokens/${id}`, { method: 'DELETE', headers: maker });
    await fetch(`${url}/api/api-keys/${keyId}`, { method: 'DELETE', headers: admin });
    const at = Date.now();
    await withAccount(owner, accountId, (trx) => sessions.endAllOf(trx, accountId, personId));
    expect((await fetch(`${url}/api/me`, { headers })).status).toBe(401);
    expect((await read('/api/places', key)).status).toBe(401);
    await Promise.all(streams.map((stream) => stream.text())); // Each resolves when the server ends it.
    expect(Date.now() - at).toBeLessThan(5_000);
  }, 30_000);

  test('goes dark with the person who made it', async () => {
    const maker = await givenPerson(owner, { accountId });
    const { token, id } = await made();
    await withAccount(owner, accountId, (trx) =>
      trx.updateTable('displayToken').set({ personId: maker.id }).where('id', '=', id).execute(),
    );
    expect((await read('/api/places', token)).status).toBe(200);
    await withAccount(owner, accountId, (trx) =>
      trx.updateTable('person').set({ disabledAt: new Date() }).where('id', '=', maker.id).execute(),
    );
    expect((await read('/api/places', token)).status).toBe(401);
  });
});

describe('every answer carries the same headers of protection', () => {
  const guarded = [
    'content-security-policy',
    'cross-origin-opener-policy',
    'cross-origin-resource-policy',
    'origin-agent-cluster',
    'referrer-policy',
    'strict-transport-security',
    'x-content-type-options',
    'x-dns-prefetch-control',
    'x-download-options',
    'x-frame-options',
    'x-permitted-cross-domain-policies',
    'x-xss-protection',
  ];
  const usual = {
    'content-security-policy':
      "default-src 'self';script-src 'self';style-src 'self';img-src 'self' data: blob:;connect-src 'self';" +
      "object-src 'none';base-uri 'self';form-action 'self';frame-ancestors 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-dns-prefetch-control': 'off',
    'x-download-options': 'noopen',
    'x-frame-options': 'DENY',
    'x-permitted-cross-domain-policies': 'none',
    'x-xss-protection': '0',
  };
  /** The page of the API's description makes one style element at run time: allowed by its hash, there only. */
  const at = (path: string, headers: typeof usual) =>
    path.startsWith('/docs')
      ? {
          ...headers,
          'content-security-policy': headers['content-security-policy'].replace(
            "style-src 'self'",
            "style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
          ),
        }
      : headers;
  const headersAt = async (base: string, path: string) => {
    const { headers } = await fetch(base + path);
    return Object.fromEntries(
      guarded.flatMap((name) => (headers.has(name) ? [[name, headers.get(name)]] : [])),
    );
  };
  const paths = [
    '/api/session',
    '/api/me',
    '/api/nothing',
    '/',
    '/login',
    '/_app/immutable/app.js',
    '/docs/',
    '/openapi.json',
  ];

  test.each(paths)('%s', async (path) => {
    expect(await headersAt(url, path)).toEqual(at(path, usual));
  });

  test.each(paths)('%s over https, with HSTS', async (path) => {
    expect(await headersAt(https.url, path)).toEqual({
      ...at(path, usual),
      'content-security-policy': `${at(path, usual)['content-security-policy']};upgrade-insecure-requests`,
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
    });
  });
});
