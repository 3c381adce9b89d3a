import { expect, test } from 'vitest';
import { createApi, queryText } from './client.ts';

/** A server that answers the given replies in order and keeps what it was asked. */
function server(...replies: (Response | Error)[]) {
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  let loggedOut = 0;
  const api = createApi({
    fetch: async (url, init) => {
      asked.push({ url: String(url), init });
      const reply = replies.shift()!;
      if (reply instanceof Error) throw reply;
      return reply;
    },
    language: () => 'zh-CN',
    onLoggedOut: () => (loggedOut += 1),
  });
  return { api, asked, loggedOut: () => loggedOut };
}
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

test('asks in the language of the reader', async () => {
  const { api, asked } = server(json({ sites: [] }));
  await api.places();
  expect(asked[0]).toMatchObject({ url: '/api/places', init: { headers: { 'accept-language': 'zh-CN' } } });
});

test('walks all pages of a list', async () => {
  const { api, asked } = server(
    json({ items: [{ id: 'a' }], next: 'a' }),
    json({ items: [{ id: 'b' }], next: null }),
  );
  expect(await api.equipment()).toEqual([{ id: 'a' }, { id: 'b' }]);
  expect(asked.map(({ url }) => url)).toEqual([
    '/api/equipment?limit=500',
    '/api/equipment?limit=500&after=a',
  ]);
});

test('joins the pages of a history', async () => {
  const page = { pointId: 'p', unit: 'kW', kind: 'gauge', by: 'raw', timezone: 'UTC', gaps: [] };
  const { api } = server(
    json({ ...page, items: [{ at: '1' }], next: 'n' }),
    json({ ...page, items: [{ at: '2' }], gaps: [{}], next: null }),
  );
  expect(await api.history('p', { from: 0, to: 1, by: 'raw' })).toMatchObject({
    items: [{ at: '1' }, { at: '2' }],
    gaps: [{}],
    next: null,
  });
});

test("an error keeps the server's code and sentence", async () => {
  const { api, loggedOut } = server(json({ code: 'not_found', message: 'no such point' }, 404));
  await expect(api.places()).rejects.toMatchObject({
    status: 404,
    code: 'not_found',
    message: 'no such point',
  });
  expect(loggedOut()).toBe(0);
});

test('a reply that is not ours is an error too', async () => {
  const { api } = server(new Response('<html>', { status: 502, statusText: 'Bad Gateway' }));
  await expect(api.places()).rejects.toMatchObject({ status: 502, code: 'unreadable_reply' });
});

test('no reply is offline', async () => {
  const { api } = server(new TypeError('fetch failed'));
  await expect(api.places()).rejects.toMatchObject({ status: 0, code: 'offline', offline: true });
});

test('an ended session is told once per refusal, a wrong password is not', async () => {
  const refusal = { code: 'unauthorized', message: 'no' };
  const { api, loggedOut } = server(json(refusal, 401), json(refusal, 401));
  await api.login({ login: 'a', password: 'b' }).catch(() => undefined);
  expect(loggedOut()).toBe(0);
  await api.places().catch(() => undefined);
  expect(loggedOut()).toBe(1);
});

test('a query leaves out what is not given', () => {
  expect(queryText({ a: 1, b: undefined, c: 'x y' })).toBe('?a=1&c=x+y');
  expect(queryText({})).toBe('');
});
