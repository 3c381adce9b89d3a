import type { AddressInfo } from 'node:net';
import { type Role, roles } from '@parkline/contract';
import pino from 'pino';
import { afterAll, describe, expect, test } from 'vitest';
import { apiPlugins } from './api.ts';
import { allPermissions, createPasswords, createSessionKeeper } from './identity/index.ts';
import { createChangeHub } from './platform/changes.ts';
import { systemWait as wait } from './platform/clock.ts';
import { createDb } from './platform/db.ts';
import { createApp } from './platform/http.ts';
import { newId } from './platform/ids.ts';
import { clonedDatabase, inLanes } from './platform/testing.ts';
import { givenFullAccount } from './testing.ts';

const { pool } = await clonedDatabase();
const owner = pool();
const ours = await givenFullAccount(owner);
const theirs = await givenFullAccount(owner);

const routes: string[] = [];
const app = await serve();
afterAll(() => app.close());

async function serve() {
  const appPool = pool('parkline_app', 3);
  const db = createDb(appPool);
  const log = pino({ enabled: false });
  const now = () => new Date();
  const keeper = createSessionKeeper({ db, now, newId, idleMs: 1_800_000, maxMs: 604_800_000, https: false });
  const { authenticate } = keeper;
  const made = await createApp({ log, authenticate, permissions: allPermissions, ratePerS: 10_000 });
  made.addHook('onRoute', ({ method, url }) => {
    if (method !== 'HEAD') routes.push(`${String(method)} ${url}`);
  });
  const nats = new Promise<never>(() => undefined); // No broker: live values never come, their stream opens.
  const changes = createChangeHub({ pool: appPool, wait, log });
  for (const plugin of apiPlugins({ db, now, newId, passwords: createPasswords(), keeper, nats, changes }))
    await made.register(plugin);
  await made.listen({ port: 0, host: '127.0.0.1' });
  return made;
}
const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;

const engineer: Role[] = ['facility_engineer', 'account_admin'];
const field: Role[] = ['technician', 'supervisor'];
const staff: Role[] = [...engineer, ...field, 'finance_officer'];
const orders: Role[] = [...engineer, ...field];
const lead: Role[] = ['supervisor', 'account_admin'];
const money: Role[] = ['finance_officer', 'account_admin'];

/** Who may call what. Written by hand, so that neither a route nor a role's grant changes unnoticed. */
const who: Readonly<Record<string, readonly Role[] | 'anyone' | 'whoever is logged in'>> = {
  'POST /api/login': 'anyone',
  'GET /api/session': 'anyone',
  'GET /api/setup': 'anyone',
  'POST /api/setup': 'anyone',
  'POST /api/logout': 'whoever is logged in',
  'GET /api/me': 'whoever is logged in',
  'GET /api/changes': 'whoever is logged in',
  'GET /api/places': roles,
  'GET /api/spaces': roles,
  'GET /api/tenants': money,
  'GET /api/leases': money,
  'GET /api/gateways': engineer,
  'GET /api/gateways/:id/reports': engineer,
  'GET /api/equipment': staff,
  'GET /api/equipment/:id': staff,
  'GET /api/points': staff,
  'GET /api/points/:id/history': staff,
  'GET /api/live': staff,
  'GET /api/faults': orders,
  'GET /api/faults/:id': orders,
  'POST /api/faults/:id/acknowledge': [...engineer, 'supervisor'],
  'GET /api/fault-rules': orders,
  'GET /api/fault-rules/:key': orders,
  'PUT /api/fault-rules/:key': engineer,
  'GET /api/work-orders': orders,
  'GET /api/work-orders/:id': orders,
  'POST /api/work-orders/:id/dispatch': lead,
  'POST /api/work-orders/:id/accept': field,
  'POST /api/work-orders/:id/start': field,
  'POST /api/work-orders/:id/finish': field,
  'POST /api/work-orders/:id/cancel': lead,
  'POST /api/work-orders/:id/photos': field,
  'GET /api/work-orders/:id/photos/:photoId': orders,
  'GET /api/technicians': lead,
  'POST /api/points/:id/commands': engineer,
  'GET /api/commands': [...engineer, 'supervisor'],
  'GET /api/commands/:id': [...engineer, 'supervisor'],
  'POST /api/commands/:id/approve': [...engineer, 'supervisor'],
  'POST /api/commands/:id/reject': [...engineer, 'supervisor'],
  'POST /api/commands/:id/cancel': engineer,
  'GET /api/work-order-settings': orders,
  'PUT /api/work-order-settings': lead,
  'GET /api/my/summary': ['tenant_admin'],
  'GET /api/my/usage-points': ['tenant_admin'],
  'GET /api/my/usage-points/:id/usage': ['tenant_admin'],
  'GET /api/billing-runs': money,
  'GET /api/billing-runs/:id': money,
  'GET /api/statements/:id': money,
  'GET /api/statement-lines/:id/intervals': money,
};

const span = 'from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z';
const queries: Readonly<Record<string, string>> = {
  'GET /api/points/:id/history': span,
  'GET /api/my/usage-points/:id/usage': `${span}&by=day`,
  'POST /api/work-orders/:id/photos': 'kind=after',
};
const bodies: Readonly<Record<string, object>> = {
  'PUT /api/fault-rules/:key': { enabled: true, forS: 60, limit: null },
  'PUT /api/work-order-settings': { acceptWithinMin: 15 },
  'POST /api/points/:id/commands': { value: 1, reason: 'to see' },
  'POST /api/work-orders/:id/dispatch': { version: 1 },
  'POST /api/work-orders/:id/accept': { version: 1 },
  'POST /api/work-orders/:id/start': { version: 1 },
  'POST /api/work-orders/:id/finish': { version: 1 },
  'POST /api/work-orders/:id/cancel': { version: 1, note: 'not needed' },
};

type Ids = Readonly<Record<string, string>>;

/** The status and, of what ends by itself, the text. A stream is let go once it began. */
async function call(route: string, ids: Ids, headers: Record<string, string>) {
  const [method = '', path = ''] = route.split(' ');
  const base = Object.keys(ids).find((key) => path.startsWith(`${key}/`)) ?? '';
  const place = path
    .replace(':id', ids[base] ?? '')
    .replace(':key', 'device-offline')
    .replace(':photoId', ids['/api/work-orders/photos'] ?? '');
  const stop = new AbortController();
  const body = bodies[route];
  const isPhoto = route.endsWith('/photos');
  const type = isPhoto ? { 'content-type': 'image/png' } : body && { 'content-type': 'application/json' };
  const reply = await fetch(`${url}${place}?${queries[route] ?? ''}`, {
    method,
    headers: { ...headers, ...type },
    ...(isPhoto ? { body: 'no picture' } : body && { body: JSON.stringify(body) }),
    signal: stop.signal,
  });
  const isStream = reply.headers.get('content-type') === 'text/event-stream';
  const text = isStream ? '' : await reply.text();
  stop.abort();
  return { status: reply.status, text };
}

test('every route of the API is in the list of who may call it, and nothing else is', () => {
  expect(routes.filter((route) => !route.includes(' /api/'))).toEqual([]);
  expect(Object.keys(who).toSorted()).toEqual(routes.toSorted());
});

const open = Object.entries(who).filter(([, them]) => them !== 'anyone');

test.each(open.map(([route]) => route))('%s is closed to strangers', async (route) => {
  expect((await call(route, ours.ids, {})).status).toBe(401);
  expect((await call(route, ours.ids, { cookie: 'parkline_session=invented' })).status).toBe(401);
});

describe.each(open.filter(([, them]) => Array.isArray(them)) as [string, readonly Role[]][])(
  '%s',
  (route, them) => {
    test.each(roles.filter((role) => !them.includes(role)))(
      'is forbidden to a %s, own or foreign',
      async (role) => {
        expect((await call(route, ours.ids, ours.as[role])).status).toBe(403);
        expect((await call(route, theirs.ids, ours.as[role])).status).toBe(403);
      },
    );

    test.each(them)('answers a %s about the own account only', async (role) => {
      if (route.includes(':id')) {
        const foreign = await call(route, theirs.ids, ours.as[role]);
        expect([foreign.status, JSON.parse(foreign.text).code]).toEqual([404, 'not_found']);
      }
      const own = await call(route, ours.ids, ours.as[role]);
      // Whether a step fits the order is for its own tests; here it must get as far as being judged.
      if (route.startsWith('POST')) expect([200, 201, 409, 415]).toContain(own.status);
      else expect(own.status).toBe(200);
      for (const id of Object.values(theirs.ids)) expect(own.text).not.toContain(id);
    });
  },
);

test('a meter of another tenant is not there, in the list and by its id', async () => {
  const me = ours.as.tenant_admin;
  const usage = 'GET /api/my/usage-points/:id/usage';
  const other = { '/api/my/usage-points': ours.bistroUsagePoint };
  expect((await call(usage, other, me)).status).toBe(404);
  expect((await call(usage, other, ours.bistro)).status).toBe(200);
  expect((await call('GET /api/my/usage-points', {}, me)).text).not.toContain(ours.bistroUsagePoint);
  expect((await call('GET /api/my/usage-points', {}, ours.bistro)).text).toContain(ours.bistroUsagePoint);
});

test('a thousand requests of two accounts and two tenants at once, on three connections, each see their own', async () => {
  const visitors = [ours, theirs].flatMap(({ as, bistro, ids, bistroUsagePoint }) => [
    {
      headers: as.account_admin,
      ids,
      paths: ['equipment', 'points', 'leases', 'faults', 'work-orders', 'nothing'],
    },
    { headers: as.tenant_admin, ids, paths: ['spaces', 'my/usage-points', 'places', 'leases', 'equipment'] },
    {
      headers: bistro,
      ids: { '/api/my/usage-points': bistroUsagePoint },
      paths: ['spaces', 'my/usage-points', 'places', 'me', 'points?limit=none'],
    },
  ]);
  const ask = async (headers: { cookie: string }, path: string) => {
    const reply = await fetch(`${url}/api/${path}`, { headers });
    return `${reply.status} ${await reply.text()}`;
  };
  const asked = visitors.flatMap(({ headers, paths }) => paths.map((path) => ({ headers, path })));
  const half = asked.length / 2;
  const alone: string[] = [];
  for (const { headers, path } of asked) alone.push(await ask(headers, path));
  // What is compared below would prove nothing if both accounts had the same to say.
  const said = (account: number) =>
    alone.filter((text, i) => text.startsWith('200') && i < half === (account === 0));
  expect(said(0).filter((text) => said(1).includes(text))).toEqual([]);
  const together = await inLanes(1_000, 50, async (i) => {
    const one = (i * 7) % asked.length;
    const { headers, path } = asked[one]!;
    return (await ask(headers, path)) === alone[one] ? undefined : { path, one };
  });
  expect(together.filter(Boolean)).toEqual([]);
}, 90_000);
