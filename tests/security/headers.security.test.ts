import { afterAll, expect, test } from 'vitest';
import { givenAccount, givenPerson } from '../../cloud/src/identity/testing.ts';
import { createDb } from '../../cloud/src/platform/db.ts';
import { clonedDatabase } from '../../cloud/src/platform/testing.ts';
import { serveApi } from '../../cloud/src/testing-api.ts';
import { buildPortal } from '../../deploy/local/portal.ts';
import { type Attack, tryAll } from './attempts.ts';

const database = await clonedDatabase();
const db = createDb(database.pool());
const { folder: portalDir } = await buildPortal(`${import.meta.dirname}/../..`);
const publicUrl = 'https://park.example';
const { app, url } = await serveApi(database, { portalDir, publicUrl });
afterAll(() => app.close());

const pages = [
  '/',
  '/login',
  '/api/me',
  '/api/nothing',
  '/openapi.json',
  '/docs',
  '/healthz',
  '/%2e%2e/%2e%2e/etc/passwd',
];
const head = async (page: string, name: string) => (await fetch(url + page)).headers.get(name) ?? 'absent';

/** The same on every kind of answer. */
const onEvery = (attack: string, look: (page: string) => Promise<boolean>): Attack => ({
  attack,
  expected: 'not possible',
  run: async () => {
    for (const page of pages) if (!(await look(page))) return `possible on ${page}`;
    return 'not possible';
  },
});

const policyOf = async (page: string) =>
  new Map(
    (await head(page, 'content-security-policy')).split(';').map((line) => {
      const [name = '', ...sources] = line.trim().split(/\s+/);
      return [name, sources] as const;
    }),
  );

async function loginCookie(): Promise<string> {
  const person = await givenPerson(db, { accountId: await givenAccount(db) });
  const reply = await fetch(`${url}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: person.login, password: person.password }),
  });
  return reply.headers.get('set-cookie') ?? '';
}

const attacks: Attack[] = [
  onEvery('run a script from elsewhere', async (page) => {
    const scripts = (await policyOf(page)).get('script-src') ?? ['*'];
    return scripts.every((source) => source === "'self'" || source.startsWith("'sha256-"));
  }),
  onEvery('run a script or a style written into the page', async (page) =>
    [...(await policyOf(page)).values()].every((sources) => !sources.some((one) => one.includes('unsafe'))),
  ),
  onEvery('load a plug-in', async (page) => (await policyOf(page)).get('object-src')?.join() === "'none'"),
  onEvery(
    'send a form elsewhere',
    async (page) => (await policyOf(page)).get('form-action')?.join() === "'self'",
  ),
  onEvery(
    'move the base of all links',
    async (page) => (await policyOf(page)).get('base-uri')?.join() === "'self'",
  ),
  onEvery(
    'put the portal into a frame',
    async (page) =>
      (await policyOf(page)).get('frame-ancestors')?.join() === "'none'" &&
      (await head(page, 'x-frame-options')) === 'DENY',
  ),
  onEvery(
    'have a file taken for a script',
    async (page) => (await head(page, 'x-content-type-options')) === 'nosniff',
  ),
  onEvery('fall back to plain http', async (page) =>
    /max-age=\d{8}/.test(await head(page, 'strict-transport-security')),
  ),
  onEvery(
    'tell another site where somebody was',
    async (page) => (await head(page, 'referrer-policy')) === 'same-origin',
  ),
  onEvery('learn which server it is', async (page) =>
    [await head(page, 'server'), await head(page, 'x-powered-by')].every((one) => one === 'absent'),
  ),
  onEvery(
    'read an answer from another origin',
    async (page) => (await head(page, 'access-control-allow-origin')) === 'absent',
  ),
  {
    attack: 'find answers of the API in a cache',
    expected: 'no-store',
    run: () => head('/api/me', 'cache-control'),
  },
  {
    attack: 'read the file of passwords through the portal',
    expected: 'not there',
    run: async () => {
      for (const path of [
        '/../../../etc/passwd',
        '/%2e%2e%2f%2e%2e%2fetc/passwd',
        '/..%5c..%5cetc%5cpasswd',
        '/_app/../../../package.json',
      ])
        if (/root:|"workspaces"/.test(await (await fetch(url + path)).text())) return path;
      return 'not there';
    },
  },
  {
    attack: 'learn from an error how the server is made',
    expected: 'nothing',
    run: async () => {
      const reply = await fetch(`${url}/api/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"login": ',
      });
      const text = await reply.text();
      return /node_modules|at \w+ \(|\.ts:\d|SyntaxError/.test(text) ? text : 'nothing';
    },
  },
  {
    attack: 'take the cookie by a script, over http, from a sister host or with a foreign request',
    expected: 'not possible',
    run: async () => {
      const cookie = await loginCookie();
      const isBound = /^__Host-parkline_session=/.test(cookie) && !/domain=/i.test(cookie);
      return isBound &&
        /HttpOnly/.test(cookie) &&
        /Secure/.test(cookie) &&
        /SameSite=(Lax|Strict)/.test(cookie)
        ? 'not possible'
        : cookie;
    },
  },
];

test('a browser is told to keep others out, with every answer', async (context) => {
  expect(await tryAll(context, 'browser', attacks)).toEqual([]);
});
