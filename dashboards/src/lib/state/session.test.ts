import type { Me } from '@parkline/contract';
import { expect, test } from 'vitest';
import type { Api } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import { Preferences } from './preferences.svelte.ts';
import { loginPath, returnPath, Session } from './session.svelte.ts';

const engineer: Me = {
  id: 'p1',
  accountId: 'a1',
  accountName: 'Parkline Demo',
  tenantId: null,
  tenantName: null,
  login: 'li',
  name: 'Li',
  roles: ['facility_engineer'],
  permissions: [],
};
const refused = new ApiError(401, { code: 'unauthorized', message: 'no' });
const api = { me: async () => engineer, login: async () => undefined, logout: async () => undefined };
const tab = { token: () => undefined, beginAnew: () => undefined };
const given = (me: () => Promise<Me>, active = true) =>
  new Session({ ...api, session: async () => ({ active }), me }, tab);

test('logging in asks who it is and knows the start page of the role', async () => {
  const session = given(async () => engineer);
  await session.login({ login: 'li', password: 'x' });
  expect([session.state, session.me?.name, session.startPage]).toEqual(['in', 'Li', '/engineer']);
});

test('a browser without a session is not refused by asking', async () => {
  let asked = 0;
  const session = given(async () => (asked++, engineer), false);
  await session.ask();
  expect([session.state, asked]).toEqual(['out', 0]);
});

test('nobody is not an error, a broken server is', async () => {
  const nobody = given(() => Promise.reject(refused));
  await nobody.ask();
  expect(nobody.state).toBe('out');
  const broken = given(() => Promise.reject(new ApiError(500, { code: 'internal', message: 'broken' })));
  await broken.ask();
  expect([broken.state, broken.error?.status]).toEqual(['asking', 500]);
});

test('an ended session differs from a chosen log-out', async () => {
  let active = true;
  const session = new Session({ ...api, session: async () => ({ active }) }, tab);
  await session.ask();
  active = false;
  await session.ask();
  expect([session.state, session.isInterrupted]).toEqual(['ended', true]);
  active = true;
  await session.ask();
  await session.logout();
  active = false;
  await session.ask();
  expect(session.state).toBe('out');
});

test('of several questions that are all told that the session ended, the last says so, too', async () => {
  let active = true;
  const session = new Session({ ...api, session: async () => ({ active }) }, tab);
  await session.ask();
  active = false;
  await Promise.all([session.ask(), session.ask(), session.ask()]);
  expect(session.state).toBe('ended');
});

test('the page is gone before the log-out is asked for, and back when it failed', async () => {
  const offline = new ApiError(0, { code: 'offline', message: 'no reply' });
  const during: string[] = [];
  const logout = async () => {
    during.push(session.state);
    throw offline;
  };
  const session: Session = new Session({ ...api, session: async () => ({ active: true }), logout }, tab);
  await session.ask();
  await expect(session.logout()).rejects.toBe(offline);
  expect([during, session.state, session.me?.name]).toEqual([['asking'], 'in', 'Li']);
});

test.each([
  ['give', ['totp']],
  ['enrol', []],
] as const)('a session that has to %s a second factor is nobody yet', async (stage, kinds) => {
  const owed = async () => ({ active: true, stage, kinds: [...kinds] });
  const session = new Session({ ...api, session: owed }, tab);
  await session.ask();
  expect([session.state, session.me, session.kinds]).toEqual(['owing', undefined, kinds]);
});

/** A page of the engineer whose session has just ended; `server` is what it says from then on. */
async function interrupted() {
  const server = {
    ...{ state: { active: true } as Awaited<ReturnType<Api['session']>>, me: engineer },
    ...{ token: 'first', anew: 0 },
  };
  const session = new Session(
    { ...api, session: async () => server.state, me: async () => ({ ...server.me }) },
    { token: () => server.token, beginAnew: () => void (server.anew += 1) },
  );
  await session.ask();
  const before = session.me;
  server.state = { active: false };
  await session.ask();
  return { server, session, before };
}

test('the page of an ended session stays, and goes on when its person has given password and second factor', async () => {
  const { server, session, before } = await interrupted();
  const back = session.back();
  expect([session.isOpen, session.isInterrupted, session.me]).toEqual([true, true, before]);
  server.state = { active: true, stage: 'give', kinds: ['totp'] };
  await session.login({ login: 'li', password: 'x' });
  expect([session.state, session.isInterrupted]).toEqual(['owing', true]);
  server.state = { active: true };
  await session.ask();
  // The same object: nothing on the page is read anew.
  expect([session.state, session.me === before, await back]).toEqual(['in', true, true]);
});

test('where another person comes the page begins anew, and what waited on it is not sent for them', async () => {
  const { server, session } = await interrupted();
  let sent = false;
  void session.back().then((isBack) => (sent = isBack));
  Object.assign(server, { state: { active: true }, me: { ...engineer, id: 'p2' } });
  await session.ask();
  expect([server.anew, session.isOpen, sent]).toEqual([1, false, false]);
});

test('a page that was not interrupted is in doubt once another page began a session, until it is known whose', async () => {
  const { server, session } = await interrupted();
  server.state = { active: true };
  await session.ask();
  expect([session.state, session.isDoubtful]).toEqual(['in', false]);
  server.token = 'second';
  expect(session.isDoubtful).toBe(true);
  await session.ask();
  expect([session.state, session.isDoubtful, server.anew]).toEqual(['in', false, 0]);
  Object.assign(server, { token: 'third', me: { ...engineer, id: 'p2' } });
  expect(session.isDoubtful).toBe(true);
  await session.ask();
  expect([session.isOpen, server.anew]).toEqual([false, 1]);
});

test('who logs in as somebody else gives the page up, without asking a server that knows nobody', async () => {
  const { session } = await interrupted();
  const back = session.back();
  await session.logout();
  expect([await back, session.state, session.me]).toEqual([false, 'out', undefined]);
});

test('a first factor has a page to itself: its codes are shown once', async () => {
  const { server, session } = await interrupted();
  const back = session.back();
  server.state = { active: true, stage: 'enrol', kinds: [] };
  await session.ask();
  expect([await back, session.state, session.isOpen]).toEqual([false, 'owing', false]);
});

test('a page opened with what an ended session left behind leads to the login, which says so', async () => {
  const session = new Session(
    { ...api, session: async () => ({ active: false }) },
    { ...tab, token: () => 'left behind' },
  );
  await session.ask();
  expect([session.isOpen, loginPath(session, '/me')]).toEqual([false, '/login?ended=&back=%2Fme']);
  expect(loginPath({ state: 'out' })).toBe('/login');
});

test.each([
  ['?back=/engineer/devices%3Fplace%3D1', '/engineer/devices?place=1'],
  ['?back=//evil.example', '/engineer'],
  ['?back=/%5Cevil.example', '/engineer'],
  ['?back=https://evil.example', '/engineer'],
  ['?back=/login', '/engineer'],
  ['', '/engineer'],
])('after %s comes %s', (search, path) =>
  expect(returnPath(new URLSearchParams(search), '/engineer')).toBe(path),
);

function preferences(stored: Record<string, string>, languages: string[], dark = false) {
  const kept = new Map(Object.entries(stored));
  const root = { lang: '', dataset: {} as DOMStringMap };
  const chosen = new Preferences({
    storage: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    },
    root,
    languages,
    systemIsDark: () => dark,
  });
  return { chosen, root, kept };
}

test('the first language of the reader that is ours is spoken, else English', () => {
  expect(preferences({}, ['fr', 'zh-TW', 'en']).root.lang).toBe('zh-CN');
  expect(preferences({}, ['fr']).root.lang).toBe('en');
});

test('a choice is kept and shown, "system" follows the system', () => {
  const { chosen, root, kept } = preferences({ 'parkline.language': 'zh-CN' }, ['en'], true);
  expect([root.lang, root.dataset['theme']]).toEqual(['zh-CN', 'dark']);
  chosen.setTheme('light');
  expect([root.dataset['theme'], kept.get('parkline.theme')]).toEqual(['light', 'light']);
  chosen.setTheme('system');
  expect([root.dataset['theme'], kept.has('parkline.theme')]).toEqual(['dark', false]);
});
