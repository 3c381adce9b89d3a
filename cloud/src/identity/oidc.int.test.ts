import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IdentityProvider } from '@parkline/contract';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { startIdentityProvider } from '../../../tests/support/oidc.ts';
import { newId } from '../platform/ids.ts';
import { createSecrets, newKeyLine } from '../platform/secrets.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { createOidc } from './oidc.ts';
import { oidcRoutes } from './oidc-routes.ts';
import { createPasswords } from './password.ts';
import { providerRoutes } from './provider-routes.ts';
import { identityRoutes } from './routes.ts';
import { createTestApp, givenAccount, givenPerson, loggedIn, testKeeper } from './testing.ts';

const { owner, app: db, pool } = await clonedDatabase();
const folder = await mkdtemp(join(tmpdir(), 'parkline-oidc-'));
await writeFile(join(folder, 'keys'), newKeyLine('k1'));
const secrets = createSecrets(join(folder, 'keys'));

const publicUrl = 'https://park.example';
const redirectUri = `${publicUrl}/api/login/oidc/callback`;
const idp = await startIdentityProvider(redirectUri);
const other = await startIdentityProvider(redirectUri);

let ahead = 0;
const now = () => new Date(Date.now() + ahead);
const oidc = createOidc({ db, now, newId, secrets, publicUrl, allowHosts: new Set(['127.0.0.1']) });
const sessions = testKeeper(db);
const app: FastifyInstance = await createTestApp(db);
const nameOfTenant = () => Promise.resolve(undefined);
for (const plugin of [
  identityRoutes({ db, now, newId, sessions, nameOfTenant, passwords: createPasswords() }),
  oidcRoutes({ db, now, oidc, sessions, https: false }),
  providerRoutes({ db, now, newId, oidc, secrets }),
])
  await app.register(plugin);
afterAll(async () => {
  await Promise.all([app.close(), idp.stop(), other.stop(), rm(folder, { recursive: true })]);
});

const accountId = await givenAccount(owner);
const boss = await loggedIn(owner, accountId, ['account_admin']);
const call = (
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  url: string,
  payload?: object,
  headers: Record<string, string> = boss,
) => app.inject({ method, url, headers, ...(payload && { payload }) });

async function givenProvider(at = idp, over: object = {}): Promise<string> {
  const { issuer, clientId, clientSecret } = at;
  const reply = await call('POST', '/api/identity-providers', {
    name: 'House',
    issuer,
    clientId,
    clientSecret,
    ...over,
  });
  expect(reply.statusCode, reply.body).toBe(201);
  return reply.json().id;
}
const providerId = await givenProvider();

/** Where a browser goes, with the cookie it was given. */
interface Trip {
  readonly toProvider: URL;
  readonly cookie: string;
}
async function begin(id = providerId, back?: string): Promise<Trip> {
  const reply = await app.inject(`/api/login/oidc/${id}${back ? `?back=${encodeURIComponent(back)}` : ''}`);
  expect(reply.statusCode).toBe(302);
  const { name, value } = reply.cookies[0]!;
  return { toProvider: new URL(String(reply.headers.location)), cookie: `${name}=${value}` };
}
/** What the provider sends the browser back with. */
async function atProvider({ toProvider }: Trip): Promise<URL> {
  const reply = await fetch(toProvider, { redirect: 'manual' });
  expect(reply.status).toBe(302);
  return new URL(reply.headers.get('location') ?? '');
}
const comeBack = (answer: URL, cookie = '') =>
  app.inject({ url: `${answer.pathname}${answer.search}`, headers: { cookie, host: 'evil.example' } });
const cookiesOf = (reply: Awaited<ReturnType<typeof comeBack>>) =>
  reply.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
async function logIn(id = providerId, back?: string) {
  const trip = await begin(id, back);
  return comeBack(await atProvider(trip), trip.cookie);
}
const meOf = async (reply: Awaited<ReturnType<typeof comeBack>>) =>
  (await app.inject({ url: '/api/me', headers: { cookie: cookiesOf(reply) } })).json();
const refusalOf = ({ headers, cookies }: Awaited<ReturnType<typeof comeBack>>) => [
  headers.location,
  cookies.some(({ name, value }) => name === 'parkline_session' && value !== ''),
];
const refused = (why: string) => [`/login?oidc=${why}`, false];

/** A person whose login is the address that the provider vouches for. */
async function known(over: { roles?: ['guard'] | ['account_admin'] } = {}) {
  const email = `${newId()}@example.org`;
  const person = await givenPerson(owner, { accountId, login: email, roles: ['guard'], ...over });
  const claims = { sub: `sub-${person.id}`, email, email_verified: true };
  idp.behaviour = { claims };
  return { ...person, email, claims };
}
beforeEach(() => {
  ahead = 0;
});

describe('a login through a provider', () => {
  test('asks with state, nonce, PKCE and the one redirect address, and keeps the secret sealed', async () => {
    const { toProvider } = await begin();
    const { searchParams: asked } = toProvider;
    expect(asked.get('redirect_uri')).toBe(redirectUri);
    expect(asked.get('code_challenge_method')).toBe('S256');
    for (const key of ['state', 'nonce', 'code_challenge'])
      expect(asked.get(key)!.length).toBeGreaterThan(40);
    const { sealedClientSecret } = await owner
      .selectFrom('identityProvider')
      .select('sealedClientSecret')
      .where('id', '=', providerId)
      .executeTakeFirstOrThrow();
    expect(sealedClientSecret).toMatch(/^sealed:v1:/);
    expect((await call('GET', '/api/identity-providers')).body).not.toContain(idp.clientSecret);
  });

  test('lets in who is known by the verified address, back to where the person was, and knows the subject from then on', async () => {
    const { id, email, claims } = await known();
    const first = await logIn(providerId, '/guard?x=1');
    expect([first.statusCode, first.headers.location]).toEqual([302, '/guard?x=1']);
    expect(await meOf(first)).toMatchObject({ id, login: email });
    idp.behaviour = { claims: { sub: claims.sub } };
    expect(await meOf(await logIn())).toMatchObject({ id });
  });

  // A browser leaves tabs out of an address.
  test.each([['//evil.example/'], ['https://evil.example/'], ['/\\evil.example'], ['/\t/evil.example']])(
    'goes back to no other site: %j',
    async (back) => {
      await known();
      expect((await logIn(providerId, back)).headers.location).toBe('/');
    },
  );

  test('makes nobody by itself; with a role for new people it makes them with that role', async () => {
    const email = `${newId()}@example.org`;
    idp.behaviour = { claims: { sub: newId(), email, email_verified: true, name: '王芳' } };
    expect(refusalOf(await logIn())).toEqual(refused('unknown_person'));
    const open = await givenProvider(other, { defaultRole: 'guard' });
    other.behaviour = { ...idp.behaviour };
    expect(await meOf(await logIn(open))).toMatchObject({ login: email, name: '王芳', roles: ['guard'] });
  });

  test('counts as second factor only where the provider says so and the account believes it', async () => {
    const { claims } = await known({ roles: ['account_admin'] });
    const stage = async () => {
      const reply = await logIn();
      const list = await app.inject({
        url: '/api/identity-providers',
        headers: { cookie: cookiesOf(reply) },
      });
      return list.statusCode;
    };
    const versionOf = async () => (await call('GET', '/api/identity-providers')).json().items[0].version;
    const trust = async (trustSecondFactor: boolean) =>
      call(
        'PATCH',
        `/api/identity-providers/${providerId}`,
        { trustSecondFactor },
        { ...boss, 'if-match': `"${await versionOf()}"` },
      );
    idp.behaviour = { claims: { ...claims, amr: ['pwd', 'mfa'] } };
    expect(await stage()).toBe(403);
    expect((await trust(true)).statusCode).toBe(200);
    expect(await stage()).toBe(200);
    idp.behaviour = { claims: { ...claims, amr: ['pwd'] } };
    expect(await stage()).toBe(403);
    await trust(false);
  });
});

describe('refused without a session is', () => {
  test('an answer to no question, to the question of another browser, and one that took too long', async () => {
    await known();
    const trip = await begin();
    const answer = await atProvider(trip);
    expect(refusalOf(await comeBack(answer))).toEqual(refused('flow'));
    expect(refusalOf(await comeBack(answer, trip.cookie))).toEqual(refused('flow')); // Spent by the first try.
    const [mine, theirs] = [await begin(), await begin()];
    expect(refusalOf(await comeBack(await atProvider(mine), theirs.cookie))).toEqual(refused('flow'));
    const invented = new URL(`${redirectUri}?code=x&state=invented&iss=${idp.issuer}`);
    expect(refusalOf(await comeBack(invented, theirs.cookie))).toEqual(refused('flow'));
    const slow = await begin();
    const late = await atProvider(slow);
    ahead = 601_000;
    expect(refusalOf(await comeBack(late, slow.cookie))).toEqual(refused('flow'));
  });

  test('an answer that is played again', async () => {
    await known();
    const trip = await begin();
    const answer = await atProvider(trip);
    expect((await comeBack(answer, trip.cookie)).headers.location).toBe('/');
    expect(refusalOf(await comeBack(answer, trip.cookie))).toEqual(refused('flow'));
  });

  test('a code that was spent, or was made for another login or another client', async () => {
    await known();
    const [first, second] = [await begin(), await begin()];
    const [spent, answer] = [await atProvider(first), await atProvider(second)];
    await comeBack(spent, first.cookie);
    const swapped = (code: string, to: URL) => {
      const url = new URL(to);
      url.searchParams.set('code', code);
      return url;
    };
    expect(
      refusalOf(await comeBack(swapped(spent.searchParams.get('code')!, answer), second.cookie)),
    ).toEqual(refused('provider'));
    const [victim, thief] = [await begin(), await begin()];
    const [theirs, mine] = [await atProvider(victim), await atProvider(thief)];
    expect(refusalOf(await comeBack(swapped(theirs.searchParams.get('code')!, mine), thief.cookie))).toEqual(
      refused('provider'),
    );
    const third = await begin();
    const own = await atProvider(third);
    const elsewhere = new URL(third.toProvider);
    elsewhere.searchParams.set('client_id', 'another-client');
    const foreign = await atProvider({ ...third, toProvider: elsewhere });
    expect(refusalOf(await comeBack(swapped(foreign.searchParams.get('code')!, own), third.cookie))).toEqual(
      refused('provider'),
    );
    expect(idp.refusals).toEqual(['code', 'verifier', 'code of another client']);
  });

  test('an answer that came by way of another provider (mix-up)', async () => {
    const { claims } = await known();
    idp.behaviour = { claims, answersAs: other.issuer };
    expect(refusalOf(await logIn())).toEqual(refused('provider'));
  });

  test('a redirect to another address: the provider is asked with ours and none of the request', async () => {
    const trip = await begin();
    const bent = new URL(trip.toProvider);
    bent.searchParams.set('redirect_uri', 'https://evil.example/api/login/oidc/callback');
    expect((await fetch(bent, { redirect: 'manual' })).status).toBe(400);
  });

  test.each([
    ['another nonce', { lies: { nonce: 'another' } }],
    ['another audience', { lies: { aud: 'another-client' } }],
    ['another issuer', { lies: { iss: 'https://evil.example' } }],
    ['a time that is over', { lies: { exp: 1_000, iat: 900 } }],
    ['no signature (alg none)', { signature: 'none' }],
    ['the signature of another key', { signature: 'foreign' }],
  ] as const)('a token with %s', async (_what, wrong) => {
    const { claims } = await known();
    idp.behaviour = { claims, ...wrong };
    expect(refusalOf(await logIn())).toEqual(refused('provider'));
    expect(
      await owner.selectFrom('personIdentity').select('subject').where('subject', '=', claims.sub).execute(),
    ).toEqual([]);
  });

  test.each([
    ['not verified', { email_verified: false }],
    ['verified only in a text', { email_verified: 'true' }],
    ['verified by silence', { email_verified: undefined }],
  ])('an address that is %s', async (_what, over) => {
    const { claims } = await known();
    idp.behaviour = { claims: { ...claims, ...over } };
    expect(refusalOf(await logIn())).toEqual(refused('unknown_person'));
  });

  test('somebody who is disabled, or of another account', async () => {
    const { id } = await known();
    await owner.updateTable('person').set({ disabledAt: new Date() }).where('id', '=', id).execute();
    expect(refusalOf(await logIn())).toEqual(refused('disabled'));
    const elsewhere = await givenPerson(owner, {
      accountId: await givenAccount(owner),
      login: `${newId()}@example.org`,
    });
    idp.behaviour = { claims: { sub: newId(), email: elsewhere.login, email_verified: true } };
    expect(refusalOf(await logIn())).toEqual(refused('unknown_person'));
  });
});

describe('a person who is logged in', () => {
  test('links the own login, which works without any address from then on, and unlinks it', async () => {
    const me = await loggedIn(owner, accountId, ['guard']);
    const who = (await call('GET', '/api/me', undefined, me)).json();
    const started = await call('POST', '/api/me/login-links', { providerId }, me);
    expect(started.statusCode, started.body).toBe(200);
    const { name, value } = started.cookies[0]!;
    idp.behaviour = { claims: { sub: `linked-${who.id}` } };
    const trip = { toProvider: new URL(started.json().url), cookie: `${name}=${value}` };
    const back = await comeBack(await atProvider(trip), trip.cookie);
    expect(refusalOf(back)).toEqual(['/me', false]);
    expect(await meOf(await logIn())).toMatchObject({ id: who.id });

    const thief = await loggedIn(owner, accountId, ['guard']);
    const again = await call('POST', '/api/me/login-links', { providerId }, thief);
    const stolen = {
      toProvider: new URL(again.json().url),
      cookie: `parkline_oidc=${again.cookies[0]!.value}`,
    };
    expect(refusalOf(await comeBack(await atProvider(stolen), stolen.cookie))).toEqual(
      refused('linked_elsewhere'),
    );

    const unlink = () => call('DELETE', `/api/me/login-links/${providerId}`, undefined, me);
    const hash = (passwordHash: string | null) =>
      owner.updateTable('person').set({ passwordHash }).where('id', '=', who.id).execute();
    const { passwordHash: before } = await owner
      .selectFrom('person')
      .select('passwordHash')
      .where('id', '=', who.id)
      .executeTakeFirstOrThrow();
    await hash(null);
    expect((await unlink()).json()).toMatchObject({ code: 'conflict', details: { why: 'last_way_in' } });
    await hash(before);
    expect((await unlink()).statusCode).toBe(204);
    expect(refusalOf(await logIn())).toEqual(refused('unknown_person'));
    const { rows: deeds } = await pool().query(
      `select action from audit_event where subject_id = $1 and action like 'person.%linked' order by id`,
      [who.id],
    );
    expect(deeds).toEqual([{ action: 'person.linked' }, { action: 'person.unlinked' }]);
  });

  test('keeps the last of two links that are undone at the same moment, where there is no password', async () => {
    const me = await loggedIn(owner, accountId, ['guard']);
    const personId: string = (await call('GET', '/api/me', undefined, me)).json().id;
    const third = await startIdentityProvider(redirectUri);
    const both = [providerId, await givenProvider(third)];
    await third.stop();
    await owner.updateTable('person').set({ passwordHash: null }).where('id', '=', personId).execute();
    for (let round = 0; round < 5; round += 1) {
      for (const one of both)
        await owner
          .insertInto('personIdentity')
          .values({ accountId, providerId: one, subject: personId, personId, linkedAt: new Date() })
          .onConflict((c) => c.doNothing())
          .execute();
      const undone = await Promise.all(
        both.map((one) => call('DELETE', `/api/me/login-links/${one}`, undefined, me)),
      );
      expect(undone.map(({ statusCode }) => statusCode).toSorted()).toEqual([204, 409]);
    }
  });

  test('links and unlinks with a fresh second factor only', async () => {
    const me = await loggedIn(owner, accountId, ['guard']);
    const old = new Date(Date.now() - 11 * 60_000);
    const { id } = (await call('GET', '/api/me', undefined, me)).json();
    await owner.updateTable('session').set({ factorAt: old }).where('personId', '=', id).execute();
    await owner
      .insertInto('passkey')
      .values({
        ...{ id: newId(), accountId, personId: id, name: 'Key', createdAt: old, transports: [], counter: 0 },
        ...{ credentialId: Buffer.from(newId()), publicKey: Buffer.from('x') },
      })
      .execute();
    const begun = await call('POST', '/api/me/login-links', { providerId }, me);
    const ended = await call('DELETE', `/api/me/login-links/${providerId}`, undefined, me);
    expect([begun, ended].map((reply) => reply.json().code)).toEqual(Array(2).fill('second_factor_needed'));
  });

  test('links no provider of another account', async () => {
    const stranger = await loggedIn(owner, await givenAccount(owner), ['guard']);
    const reply = await call('POST', '/api/me/login-links', { providerId }, stranger);
    expect([reply.statusCode, reply.cookies]).toEqual([404, []]);
    expect((await call('GET', '/api/me/login-links', undefined, stranger)).json().items).toEqual([]);
  });
});

describe('a provider', () => {
  const silent = 'does not answer as an identity provider at a public address';

  test.each(['token_endpoint', 'jwks_uri'] as const)(
    'that says its %s is on a machine nobody named is not asked there',
    async (what) => {
      const third = await startIdentityProvider(redirectUri);
      const path = what === 'jwks_uri' ? '/jwks' : '/token';
      const { claims } = await known();
      const endpoints = { [what]: third.issuer.replace('127.0.0.1', 'localhost') + path };
      third.behaviour = { claims, endpoints };
      const id = await givenProvider(third);
      expect(refusalOf(await logIn(id))).toEqual(refused('provider'));
      third.behaviour = { claims };
      ahead = 3_601_000; // What it says of itself is read again.
      expect(refusalOf(await logIn(id))).toEqual(['/', true]);
      await third.stop();
    },
  );

  test.each([
    ['http on another machine', 'http://idp.example.org', 'must begin with https://'],
    ['one that is none', 'http://127.0.0.1:9', silent],
    ['the machine that tells a server its keys', 'https://169.254.169.254', silent],
    ['of the network of the server', 'https://10.0.0.7', silent],
    ['of this machine by another name', 'https://localhost', silent],
  ])('is not kept when it is %s', async (_what, issuer, message) => {
    const reply = await call('POST', '/api/identity-providers', { name: 'X', issuer, clientId: 'x' });
    expect([reply.statusCode, reply.json().details]).toEqual([400, [{ field: 'body.issuer', message }]]);
  });

  test('that moves to another issuer takes neither the secret nor the people along', async () => {
    const elsewhere = await startIdentityProvider(redirectUri);
    const id = await givenProvider(elsewhere);
    const { id: personId, claims } = await known();
    elsewhere.behaviour = { claims };
    expect(await meOf(await logIn(id))).toMatchObject({ id: personId });
    const all = (await call('GET', '/api/identity-providers')).json<{ items: IdentityProvider[] }>().items;
    expect(all.find((one) => one.id === id)?.people).toBe(1);
    const third = await startIdentityProvider(redirectUri);
    const match = { ...boss, 'if-match': '"1"' };
    const moved = await call('PATCH', `/api/identity-providers/${id}`, { issuer: third.issuer }, match);
    expect([moved.statusCode, moved.json()]).toMatchObject([200, { hasClientSecret: false, people: 0 }]);
    third.behaviour = { claims: { sub: claims.sub } };
    expect(refusalOf(await logIn(id))).toEqual(refused('provider')); // Without its own secret it lets nobody in.
    expect(
      await owner.selectFrom('personIdentity').select('subject').where('providerId', '=', id).execute(),
    ).toEqual([]);
    const stale = await call('DELETE', `/api/identity-providers/${id}`, undefined, match);
    expect(stale.statusCode).toBe(409);
    const gone = await call('DELETE', `/api/identity-providers/${id}`, undefined, {
      ...boss,
      'if-match': '"2"',
    });
    expect(gone.statusCode).toBe(204);
    await Promise.all([elsewhere.stop(), third.stop()]);
  });
});
