import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { givenAccount, givenPerson } from '../../cloud/src/identity/testing.ts';
import { createDb } from '../../cloud/src/platform/db.ts';
import { clonedDatabase } from '../../cloud/src/platform/testing.ts';
import { serveApi } from '../../cloud/src/testing-api.ts';
import { type Attack, tryAll } from './attempts.ts';
import { type BrowserSession, createBrowserSession } from './browser-session.ts';

const database = await clonedDatabase();
const pool = database.pool();
const db = createDb(pool);
const { app, url } = await serveApi(database);
afterAll(() => app.close());

let accountId: string;
beforeAll(async () => {
  accountId = await givenAccount(db);
});

/** Technicians need no second factor: what is tried here is the session. */
async function somebody() {
  const person = await givenPerson(db, { accountId, roles: ['technician'] });
  const browser = createBrowserSession(url);
  await browser.send('POST', '/api/login', { login: person.login, password: person.password });
  if (!(await browser.isIn())) throw new Error('the login that the attempts are about did not succeed');
  return { person, browser };
}

const stolen = (browser: BrowserSession): BrowserSession => createBrowserSession(url, browser.cookies);
const inOrOut = async (browser: BrowserSession): Promise<string> =>
  (await browser.isIn()) ? 'logged in' : 'logged out';
const outWithin = async (browser: BrowserSession, ms: number): Promise<string> => {
  for (const end = Date.now() + ms; Date.now() < end;) {
    if (!(await browser.isIn())) return 'logged out';
    await new Promise((done) => setTimeout(done, 100));
  }
  return 'logged in';
};
const sessionCookie = 'parkline_session';

const attacks: Attack[] = [
  {
    attack: 'invent a cookie',
    expected: 'logged out',
    run: () => inOrOut(createBrowserSession(url, new Map([[sessionCookie, 'A'.repeat(43)]]))),
  },
  {
    attack: 'use what the database keeps of a session as its cookie',
    expected: 'logged out',
    run: async () => {
      const { browser } = await somebody();
      const hash = createHash('sha256')
        .update(browser.cookies.get(sessionCookie) ?? '')
        .digest();
      const tries = ['hex', 'base64', 'base64url'] as const;
      for (const form of tries)
        if (await createBrowserSession(url, new Map([[sessionCookie, hash.toString(form)]])).isIn())
          return 'logged in';
      return 'logged out';
    },
  },
  {
    attack: 'plant a cookie before the login and use it after',
    expected: 'logged out',
    run: async () => {
      const planted = new Map([[sessionCookie, 'planted-by-somebody-else-planted-by-somebody']]);
      const { person } = await somebody();
      const victim = createBrowserSession(url, planted);
      await victim.send('POST', '/api/login', { login: person.login, password: person.password });
      return inOrOut(createBrowserSession(url, planted));
    },
  },
  {
    attack: 'use a stolen cookie after its owner logged out',
    expected: 'logged out',
    run: async () => {
      const { browser } = await somebody();
      const thief = stolen(browser);
      await browser.send('POST', '/api/logout');
      return inOrOut(thief);
    },
  },
  {
    attack: "use a stolen cookie after the same browser's next login",
    expected: 'logged out',
    run: async () => {
      const { browser, person } = await somebody();
      const thief = stolen(browser);
      await browser.send('POST', '/api/login', { login: person.login, password: person.password });
      return inOrOut(thief);
    },
  },
  {
    attack: 'use a stolen cookie after the password was changed',
    expected: 'logged out',
    run: async () => {
      const { browser, person } = await somebody();
      const other = createBrowserSession(url);
      await other.send('POST', '/api/login', { login: person.login, password: person.password });
      const body = { password: person.password, newPassword: 'quite another long password 7' };
      const reply = await browser.send('POST', '/api/me/password', body);
      return reply.ok ? inOrOut(other) : `the change was refused: ${reply.status} ${await reply.text()}`;
    },
  },
  {
    attack: 'stay logged in after being disabled',
    expected: 'logged out',
    run: async () => {
      const { browser, person } = await somebody();
      await pool.query('update person set disabled_at = now() where id = $1', [person.id]);
      return outWithin(browser, 5_000);
    },
  },
  {
    attack: 'keep a right that was taken away',
    expected: 'forbidden',
    run: async () => {
      const { browser, person } = await somebody();
      await pool.query('delete from role_grant where person_id = $1', [person.id]);
      const { status } = await browser.send('GET', '/api/work-orders');
      return status === 403 || status === 401 ? 'forbidden' : String(status);
    },
  },
  {
    attack: 'read anything with a stolen password and no second factor',
    expected: 'forbidden',
    run: async () => {
      const person = await givenPerson(db, { accountId, roles: ['account_admin'] });
      const thief = createBrowserSession(url);
      await thief.send('POST', '/api/login', { login: person.login, password: person.password });
      for (const path of ['/api/people', '/api/audit', '/api/places', '/api/equipment', '/api/gateways']) {
        const { status } = await thief.send('GET', path);
        if (status !== 403) return `${path}: ${status}`;
      }
      return 'forbidden';
    },
  },
  {
    attack: 'name another tenant or account in a header',
    expected: 'no difference',
    run: async () => {
      const { browser } = await somebody();
      const other = await givenAccount(db);
      const plain = await (await browser.send('GET', '/api/me')).text();
      const headers = {
        'x-account-id': other,
        'x-tenant-id': other,
        'x-forwarded-user': 'root',
        'x-original-url': '/api/people',
      };
      return (await (await browser.send('GET', '/api/me', undefined, headers)).text()) === plain
        ? 'no difference'
        : 'a difference';
    },
  },
];

test('a session belongs to whoever opened it, and ends when it must', async (context) => {
  expect(await tryAll(context, 'sessions', attacks)).toEqual([]);
});
