import { expect, test } from 'vitest';
import { createApi } from './client.ts';

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
    logInAgain: async () => ((loggedOut += 1), false),
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
  const refusal = { code: 'not_logged_in', message: 'no' };
  const { api, loggedOut } = server(json({ code: 'login_refused', message: 'no' }, 401), json(refusal, 401));
  await api.login({ login: 'a', password: 'b' }).catch(() => undefined);
  expect(loggedOut()).toBe(0);
  await api.places().catch(() => undefined);
  expect(loggedOut()).toBe(1);
});

/** A server whose session has a token, and a person who is asked for the second factor. */
function guarded(given: boolean, ...replies: Response[]) {
  const [tokens, asked]: [(string | null)[], unknown[]] = [[], []];
  const state = { token: 'first', loggedOut: 0 };
  const api = createApi({
    fetch: async (_url, init) => {
      tokens.push(new Headers(init?.headers).get('x-csrf-token'));
      return replies.shift()!;
    },
    language: () => 'en',
    logInAgain: async () => ((state.loggedOut += 1), given),
    csrfToken: () => state.token,
    stepUp: async (kinds) => {
      asked.push(kinds);
      state.token = 'renewed';
      return given;
    },
  });
  return { api, tokens, asked, state };
}
const needed = () => json({ code: 'second_factor_needed', message: '', details: { kinds: ['totp'] } }, 403);

test('what changes something carries the token of the session, what reads does not', async () => {
  const { api, tokens } = guarded(true, json({ sites: [] }), new Response(null, { status: 204 }));
  await api.places();
  await api.logout();
  expect(tokens).toEqual([null, 'first']);
});

test('a request that needs a second factor is made once more when it was given, with the new token', async () => {
  const { api, tokens, asked } = guarded(true, needed(), new Response(null, { status: 204 }));
  await api.removeFactor('f');
  expect([tokens, asked]).toEqual([['first', 'renewed'], [['totp']]]);
});

test('it is refused when the second factor was not given, and when it does not help', async () => {
  const declined = guarded(false, needed());
  await expect(declined.api.removeFactor('f')).rejects.toMatchObject({ code: 'second_factor_needed' });
  const useless = guarded(true, needed(), needed());
  await expect(useless.api.removeFactor('f')).rejects.toMatchObject({ code: 'second_factor_needed' });
  expect([declined.tokens.length, useless.tokens.length, useless.asked.length]).toEqual([1, 2, 1]);
});

const refusals = [
  ['not_logged_in', 401],
  ['csrf_refused', 403],
] as const;
test.each(refusals)(
  'a request that another session of its person crossed goes again after %s',
  async (code, status) => {
    const { api, state, tokens } = guarded(
      true,
      json({ code, message: '' }, status),
      new Response(null, { status: 204 }),
    );
    const removal = api.removeFactor('f');
    state.token = 'renewed';
    await removal;
    expect([state.loggedOut, tokens]).toEqual([1, ['first', 'renewed']]);
  },
);

test.each(refusals)(
  'a request that the session of another person crossed is not sent for them after %s',
  async (code, status) => {
    const { api, state, tokens } = guarded(false, json({ code, message: '' }, status));
    const removal = api.removeFactor('f');
    state.token = 'of somebody else';
    await expect(removal).rejects.toMatchObject({ code });
    expect([state.loggedOut, tokens]).toEqual([1, ['first']]);
  },
);

test('a refused token that is still the one of the session is an answer', async () => {
  const { api, state, tokens } = guarded(true, json({ code: 'csrf_refused', message: '' }, 403));
  await expect(api.removeFactor('f')).rejects.toMatchObject({ status: 403 });
  expect([state.loggedOut, tokens.length]).toEqual([0, 1]);
});

test('what was sent in an ended session is sent again once its person is back, and may then want a second factor', async () => {
  const gone = () => json({ code: 'not_logged_in', message: '' }, 401);
  const { api, state, tokens, asked } = guarded(true, gone(), needed(), new Response(null, { status: 204 }));
  await api.removeFactor('f');
  expect([state.loggedOut, asked.length, tokens]).toEqual([1, 1, ['first', 'first', 'renewed']]);
  const useless = guarded(true, gone(), gone());
  await expect(useless.api.removeFactor('f')).rejects.toMatchObject({ status: 401 });
  expect(useless.state.loggedOut).toBe(1);
});

test('that nobody is logged in is an answer to who asks for it, and to who leaves', async () => {
  const gone = () => json({ code: 'not_logged_in', message: '' }, 401);
  const { api, state } = guarded(true, gone(), gone());
  await expect(api.me()).rejects.toMatchObject({ status: 401 });
  await expect(api.logout()).rejects.toMatchObject({ status: 401 });
  expect(state.loggedOut).toBe(0);
});
