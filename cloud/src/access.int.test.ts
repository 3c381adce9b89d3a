import { type Role, roles } from '@parkline/contract';
import { afterAll, describe, expect, test } from 'vitest';
import { access } from './access/all.ts';
import { callRoute, type Ids } from './access/call.ts';
import { clonedDatabase, inLanes } from './platform/testing.ts';
import { serveApi } from './testing-api.ts';
import { givenFullAccount } from './testing.ts';

const database = await clonedDatabase();
const owner = database.pool();
const ours = await givenFullAccount(owner);
const theirs = await givenFullAccount(owner);
const { app, routes, url } = await serveApi(database);
afterAll(() => app.close());

const call = (route: string, ids: Ids, headers: Readonly<Record<string, string>>) =>
  callRoute(url, route, ids, headers);

/** Whether a step fits its object is for its own tests; here it must get as far as being judged. */
const judged: Readonly<Record<string, readonly number[]>> = {
  GET: [200],
  POST: [200, 201, 202, 204, 409, 415],
  PUT: [200, 409],
  PATCH: [200, 409],
  DELETE: [200, 204, 409],
};

test('every route of the API is in the list of who may call it, and nothing else is', () => {
  expect(routes.filter((route) => !route.includes(' /api/'))).toEqual([]);
  expect(Object.keys(access).toSorted()).toEqual(routes.toSorted());
});

const open = Object.entries(access).flatMap(([route, { who }]) =>
  who === 'anyone' ? [] : [[route, who] as const],
);

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
      const { own: fine = judged[route.split(' ')[0] ?? ''] } = access[route]!;
      expect(fine, own.text).toContain(own.status);
      for (const id of Object.values(theirs.ids).filter(
        (one) => ![':key', ':name', ':n'].some((name) => ours.ids[name] === one),
      ))
        expect(own.text).not.toContain(id);
    });
  },
);

const forAll = open.filter(([route, them]) => !Array.isArray(them) && route.includes(':id'));

test.each(forAll.map(([route]) => route))(
  '%s is about what is not there, where it is of others',
  async (route) => {
    // What is one's own is nobody else's in the same account, either.
    const others = route.includes(' /api/me/') ? [ours.ids, theirs.ids] : [theirs.ids];
    for (const role of roles)
      for (const ids of others) {
        const { status, text } = await call(route, ids, ours.as[role]);
        expect([role, status, JSON.parse(text).code]).toEqual([role, 404, 'not_found']);
      }
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
