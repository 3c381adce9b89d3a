import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeEach, expect } from 'vitest';
import { startIdentityProvider } from '../../../tests/support/oidc.ts';
import type { Db } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { createSecrets, newKeyLine } from '../platform/secrets.ts';
import { createOidc } from './oidc.ts';
import { oidcRoutes } from './oidc-routes.ts';
import { createPasswords } from './password.ts';
import { providerRoutes } from './provider-routes.ts';
import { identityRoutes } from './routes.ts';
import { createTestApp, givenAccount, givenPerson, loggedIn, testKeeper } from './testing.ts';

const publicUrl = 'https://park.example';
export const redirectUri = `${publicUrl}/api/login/oidc/callback`;

/** Where a browser goes, with the cookie it was given. */
interface Trip {
  readonly toProvider: URL;
  readonly cookie: string;
}

type Provider = Awaited<ReturnType<typeof startIdentityProvider>>;

/** An account whose people log in through `idp`; `other` is a second provider that nobody named yet. */
export async function createOidcPark({ app: db, owner }: { readonly app: Db; readonly owner: Db }) {
  const [idp, other] = [await startIdentityProvider(redirectUri), await startIdentityProvider(redirectUri)];
  /** Moves the clock of the cloud; the providers' own stays. */
  const world = { aheadMs: 0 };
  const app = await serve(db, () => new Date(Date.now() + world.aheadMs));
  beforeEach(() => void (world.aheadMs = 0));
  afterAll(() => Promise.all([app.close(), idp.stop(), other.stop()]));
  const accountId = await givenAccount(owner);
  const boss = await loggedIn(owner, accountId, ['account_admin']);
  const call = (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    payload?: object,
    headers: Record<string, string> = boss,
  ) => app.inject({ method, url, headers, ...(payload && { payload }) });
  async function givenProvider(at: Provider = idp, over: object = {}): Promise<string> {
    const { issuer, clientId, clientSecret } = at;
    const body = { name: 'House', issuer, clientId, clientSecret, ...over };
    const reply = await call('POST', '/api/identity-providers', body);
    expect(reply.statusCode, reply.body).toBe(201);
    return reply.json().id;
  }
  /** A person whose login is the address that the provider vouches for. */
  async function known(over: { roles?: ['guard'] | ['account_admin'] } = {}) {
    const email = `${newId()}@example.org`;
    const person = await givenPerson(owner, { accountId, login: email, roles: ['guard'], ...over });
    const claims = { sub: `sub-${person.id}`, email, email_verified: true };
    idp.behaviour = { claims };
    return { ...person, email, claims };
  }
  const providerId = await givenProvider();
  const travels = createTravels(app, providerId);
  return { app, world, idp, other, accountId, boss, call, givenProvider, providerId, known, ...travels };
}

async function serve(db: Db, now: () => Date): Promise<FastifyInstance> {
  const folder = await mkdtemp(join(tmpdir(), 'parkline-oidc-'));
  afterAll(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'keys'), newKeyLine('k1'));
  const secrets = createSecrets(join(folder, 'keys'));
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
  return app;
}

/** What a browser does on its way to a provider and back. */
function createTravels(app: FastifyInstance, providerId: string) {
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
  async function logIn(id = providerId, back?: string) {
    const trip = await begin(id, back);
    return comeBack(await atProvider(trip), trip.cookie);
  }
  const meOf = async (reply: Reply) =>
    (await app.inject({ url: '/api/me', headers: { cookie: cookiesOf(reply) } })).json();
  return { begin, atProvider, comeBack, logIn, meOf };
}

type Reply = Awaited<ReturnType<FastifyInstance['inject']>>;

export const cookiesOf = (reply: Reply): string =>
  reply.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');

/** Where the browser is sent, and whether with a session. */
export const refusalOf = ({ headers, cookies }: Reply): unknown[] => [
  headers.location,
  cookies.some(({ name, value }) => name === 'parkline_session' && value !== ''),
];
export const refused = (why: string): unknown[] => [`/login?oidc=${why}`, false];
