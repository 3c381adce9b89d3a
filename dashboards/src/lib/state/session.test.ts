import type { Me } from '@parkline/contract';
import { expect, test } from 'vitest';
import { ApiError } from '../api/errors.ts';
import { Preferences } from './preferences.svelte.ts';
import { returnPath, Session } from './session.svelte.ts';

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
const given = (me: () => Promise<Me>, active = true) =>
  new Session({ ...api, session: async () => ({ active }), me });

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
  const session = new Session({ ...api, session: async () => ({ active }) });
  await session.ask();
  active = false;
  await session.ask();
  expect([session.state, session.me]).toEqual(['ended', undefined]);
  active = true;
  await session.ask();
  await session.logout();
  active = false;
  await session.ask();
  expect(session.state).toBe('out');
});

test('of several questions that are all told that the session ended, the last says so, too', async () => {
  let active = true;
  const session = new Session({ ...api, session: async () => ({ active }) });
  await session.ask();
  active = false;
  await Promise.all([session.ask(), session.ask(), session.ask()]);
  expect(session.state).toBe('ended');
});

test('the page is gone before the log-out is asked for, and back when it failed', async () => {
  const offline = new ApiError(0, { code: 'offline', message: 'no reply' });
  const during: string[] = [];
  const session: Session = new Session({
    ...api,
    session: async () => ({ active: true }),
    logout: async () => {
      during.push(session.state);
      throw offline;
    },
  });
  await session.ask();
  await expect(session.logout()).rejects.toBe(offline);
  expect([during, session.state, session.me?.name]).toEqual([['asking'], 'in', 'Li']);
});

test.each([
  ['give', ['totp']],
  ['enrol', []],
] as const)('a session that has to %s a second factor is nobody yet', async (stage, kinds) => {
  const session = new Session({ ...api, session: async () => ({ active: true, stage, kinds: [...kinds] }) });
  await session.ask();
  expect([session.state, session.me, session.kinds]).toEqual(['owing', undefined, kinds]);
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
