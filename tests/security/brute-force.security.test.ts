import { afterAll, expect, test } from 'vitest';
import { givenAccount, givenPerson } from '../../cloud/src/identity/testing.ts';
import { createDb } from '../../cloud/src/platform/db.ts';
import { clonedDatabase } from '../../cloud/src/platform/testing.ts';
import { serveApi } from '../../cloud/src/testing-api.ts';
import { type Attack, tryAll } from './attempts.ts';
import { createBrowserSession } from './browser-session.ts';

const database = await clonedDatabase();
const db = createDb(database.pool());
const { app, url } = await serveApi(database);
afterAll(() => app.close());
const accountId = await givenAccount(db);

/** Each attack comes from an address of its own, so that one does not use up another's tries. */
let address = 0;
async function guess(path: string, bodies: readonly object[]) {
  address += 1;
  const remoteAddress = `198.51.100.${address}`;
  const replies = [];
  for (const payload of bodies)
    replies.push(await app.inject({ method: 'POST', url: path, payload, remoteAddress }));
  return replies;
}
const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

const attacks: Attack[] = [
  {
    attack: 'guess the password of one person 30 times',
    expected: 'locked, with a time to wait, even for the right one',
    run: async () => {
      const { login, password } = await givenPerson(db, { accountId });
      const replies = await guess('/api/login', [
        ...many(30, (i) => ({ login, password: `guess number ${i}` })),
        { login, password },
      ]);
      const last = replies.at(-1)!;
      return last.statusCode === 429 && Number(last.headers['retry-after']) > 0
        ? 'locked, with a time to wait, even for the right one'
        : `${last.statusCode} after ${replies.filter(({ statusCode }) => statusCode === 401).length} guesses`;
    },
  },
  {
    attack: 'guess one password for 150 people from one address',
    expected: 'at most 100 guesses',
    run: async () => {
      const replies = await guess(
        '/api/login',
        many(150, (i) => ({ login: `person-${i}@park`, password: 'autumn leaves 2026' })),
      );
      const tried = replies.filter(({ statusCode }) => statusCode === 401).length;
      return tried <= 100 ? 'at most 100 guesses' : `${tried} guesses`;
    },
  },
  {
    attack: 'tell from the answer who exists',
    expected: 'the same answer',
    run: async () => {
      const { login } = await givenPerson(db, { accountId });
      const answer = async (who: string) =>
        (await guess('/api/login', [{ login: who, password: 'wrong password' }]))[0]!.body;
      return (await answer(login)) === (await answer('nobody@nowhere'))
        ? 'the same answer'
        : 'another answer';
    },
  },
  {
    attack: 'tell from the answer whose password can be reset',
    expected: 'the same answer',
    run: async () => {
      const { login } = await givenPerson(db, { accountId, login: 'known@park.example' });
      const answer = async (who: string) => {
        const [reply] = await guess('/api/password-reset', [{ login: who }]);
        return `${reply!.statusCode} ${reply!.body}`;
      };
      const known = await answer(login);
      return known === (await answer('unknown@park.example')) && /^20[024] /.test(known)
        ? 'the same answer'
        : known;
    },
  },
  {
    attack: 'guess the set-up token 150 times',
    expected: 'refused, then locked',
    run: async () => {
      const body = { login: 'me@park', name: 'Me', password: 'quite a long password 1' };
      const replies = await guess(
        '/api/setup',
        many(150, (i) => ({ ...body, token: `token ${i}` })),
      );
      const codes = new Set(replies.map(({ statusCode }) => statusCode));
      return [...codes].every((code) => code === 403 || code === 429) && codes.has(429)
        ? 'refused, then locked'
        : [...codes].join();
    },
  },
  {
    attack: 'set a password that everybody uses',
    expected: 'refused',
    run: async () => {
      const { browser } = await loggedInBrowser();
      const reply = await browser.send('POST', '/api/me/password', {
        password: 'a long password',
        newPassword: 'passwordpassword',
      });
      return reply.status === 400 ? 'refused' : String(reply.status);
    },
  },
  {
    attack: 'keep the server busy with a password of a megabyte',
    expected: 'refused',
    run: async () => {
      const [reply] = await guess('/api/login', [{ login: 'x', password: 'x'.repeat(900_000) }]);
      return reply!.statusCode === 400 ? 'refused' : String(reply!.statusCode);
    },
  },
];

async function loggedInBrowser() {
  const person = await givenPerson(db, { accountId, roles: ['technician'] });
  const browser = createBrowserSession(url);
  await browser.send('POST', '/api/login', { login: person.login, password: person.password });
  return { person, browser };
}

test('guessing gets nobody in', async (context) => {
  expect(await tryAll(context, 'guessing', attacks)).toEqual([]);
});
