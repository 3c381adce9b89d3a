import pino from 'pino';
import Type from 'typebox';
import { afterAll, expect, test } from 'vitest';
import type { Person } from './access.ts';
import { createApp } from './http.ts';
import { etag, ifMatch } from './versions.ts';

const person: Person = {
  ...{ personId: 'p1', accountId: 'a1', tenantId: null, sessionId: 's1', roles: [] },
  ...{ by: 'api_key', secondFactor: null, permissions: new Map([['thing.read', null]]) },
};
const app = await createApp({
  log: pino({ enabled: false }),
  authenticate: ({ headers: { 'x-key': key } }) =>
    Promise.resolve(typeof key === 'string' ? { ...person, apiKeyId: key } : undefined),
  permissions: new Set(['thing.read']),
  ratePerS: 40,
});
const config = { permission: 'thing.read' };
/** What the thing says; a test changes it. */
let state = 'online';
app.get('/api/things/:id', { config, schema: { params: Type.Object({ id: Type.String() }) } }, () => ({
  state,
}));
app.get('/api/edited', { config }, (_request, reply) => {
  etag(reply, 3);
  return { state };
});
app.put('/api/edited', { config }, (request) => ({ version: ifMatch(request) }));
app.post('/api/things', { config, schema: { body: Type.Object({ text: Type.String() }) } }, () => 'taken');
const Thing = Type.Object({ key: Type.String() });
const Things = Type.Object({ items: Type.Array(Thing), next: Type.Union([Type.String(), Type.Null()]) });
app.get('/api/list', { config, schema: { response: { 200: Things } } }, () => ({
  items: ['a', 'b', 'c'].map((key) => ({ key })),
  next: null,
}));
await app.ready();
afterAll(() => app.close());

let keys = 0;
/** Each test comes with a key of its own. */
const someKey = () => ({ 'x-key': `k${(keys += 1)}` });

test('one program in haste is held back at half of what its account may, and alone', async () => {
  const [hasty, calm] = [someKey(), someKey()];
  const ask = (headers: object) => app.inject({ url: '/api/things/1', headers: { ...headers } });
  const replies = await Promise.all(Array.from({ length: 30 }, () => ask(hasty)));
  const refused = replies.filter(({ statusCode }) => statusCode === 429);
  expect(refused.length).toBeGreaterThanOrEqual(5);
  expect(refused[0]!.json().code).toBe('too_many_requests');
  expect(refused[0]!.headers['retry-after']).toBe('1');
  expect((await ask(calm)).statusCode).toBe(200);
});

test('a body of more than 1 MiB is refused before it is read', async () => {
  const send = (bytes: number) =>
    app.inject({
      ...{ method: 'POST', url: '/api/things', headers: someKey() },
      payload: { text: 'x'.repeat(bytes) },
    });
  const tooLarge = await send(1024 * 1024);
  expect([tooLarge.statusCode, tooLarge.json().code]).toEqual([413, 'too_large']);
  expect((await send(1024 * 1024 - 100)).statusCode).toBe(200);
});

test('what was read before and has not changed is not sent again', async () => {
  const headers = someKey();
  const ask = (known?: string) =>
    app.inject({ url: '/api/things/1', headers: { ...headers, ...(known && { 'if-none-match': known }) } });
  const first = await ask();
  const tag = String(first.headers.etag);
  expect(tag).toMatch(/^"[\w-]{16}"$/);
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
    const again = await ask(known);
    expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', tag]);
    expect(again.headers['content-type']).toBeUndefined();
  }
  expect((await ask('"other"')).statusCode).toBe(200);
  state = 'offline';
  const changed = await ask(tag);
  expect([changed.statusCode, changed.json()]).toEqual([200, { state: 'offline' }]);
});

test('the tag of a thing that is edited begins with its version, and is what an edit names', async () => {
  const headers = someKey();
  const tag = String((await app.inject({ url: '/api/edited', headers })).headers.etag);
  expect(tag).toMatch(/^"3\.[\w-]{16}"$/);
  const edit = (match?: string) =>
    app.inject({
      ...{ method: 'PUT', url: '/api/edited' },
      headers: { ...headers, ...(match && { 'if-match': match }) },
    });
  expect((await edit(tag)).json()).toEqual({ version: 3 });
  expect((await edit('"3"')).json()).toEqual({ version: 3 });
  expect((await edit()).json().code).toBe('precondition_required');
  expect((await edit('*')).json().code).toBe('bad_input');
});

test('a route that answers with its whole list is paged all the same', async () => {
  const headers = someKey();
  const ask = async (query: string) => (await app.inject({ url: `/api/list${query}`, headers })).json();
  expect(await ask('?limit=2')).toEqual({ items: [{ key: 'a' }, { key: 'b' }], next: 'b' });
  expect(await ask('?limit=2&after=b')).toEqual({ items: [{ key: 'c' }], next: null });
  expect((await ask('')).items).toHaveLength(3);
  expect((await ask('?limit=501')).code).toBe('bad_input');
  expect((await ask('?after=x')).code).toBe('bad_input');
});
