import { randomUUID } from 'node:crypto';
import type { Role } from '@parkline/contract';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { type Db, withAccount } from '../platform/db.ts';
import { createApp } from '../platform/http.ts';
import { newId } from '../platform/ids.ts';
import { csrfTokenOf } from './csrf.ts';
import { createAuthenticate } from './authenticate.ts';
import { createPasswords } from './password.ts';
import { allPermissions, strongPermissions } from './permissions.ts';
import { people } from './repository.ts';
import { sessions } from './session-store.ts';
import { createSessionKeeper, type SessionDeps, type SessionKeeper } from './session.ts';
import './tables.ts';

const passwords = createPasswords();

/** An account with nothing in it. */
export async function givenAccount(db: Db, key = `a-${randomUUID()}`): Promise<string> {
  const id = newId();
  await withAccount(db, id, (trx) =>
    trx
      .insertInto('account')
      .values({ id, key, name: { en: key, zh: key } })
      .execute(),
  );
  return id;
}

/** Made once: a hash costs 40 ms of a processor. */
const longPassword = passwords.hash('a long password');

/** A person who can log in with the password 'a long password'. */
export async function givenPerson(
  db: Db,
  {
    accountId,
    login = randomUUID(),
    roles = ['facility_engineer'],
    tenantId = null,
    place = {},
  }: {
    accountId: string;
    login?: string;
    roles?: Role[];
    tenantId?: string | null;
    place?: { siteId?: string; buildingId?: string };
  },
) {
  const person = { id: newId(), accountId, login, name: `Name of ${login}`, tenantId };
  const passwordHash = await longPassword;
  const grants = roles.map((role) => ({ role, ...place }));
  await withAccount(db, accountId, (trx) => people.add(trx, { ...person, grants, passwordHash }, newId));
  return { ...person, roles, password: 'a long password' };
}

/** What a page of ours sends with every request. */
export type LoggedIn = Readonly<Record<'cookie' | 'x-csrf-token', string>>;

/** Headers of the session of a token. */
export const headersOf = (token: string): LoggedIn => ({
  cookie: `parkline_session=${token}`,
  'x-csrf-token': csrfTokenOf(token),
});

/** Headers of a person of the account who just logged in and gave a second factor, without going through the login. A tenant_admin needs the tenant. */
export async function loggedIn(
  db: Db,
  accountId: string,
  roles?: Role[],
  tenantId: string | null = null,
  place: { siteId?: string; buildingId?: string } = {},
): Promise<LoggedIn> {
  const { id: personId } = await givenPerson(db, { accountId, tenantId, place, ...(roles && { roles }) });
  const [token, at] = [randomUUID(), new Date()];
  const expiresAt = new Date(at.getTime() + 3_600_000);
  await withAccount(db, accountId, (trx) =>
    sessions.open(trx, { id: newId(), accountId, personId, token, at, expiresAt, factorAt: at }),
  );
  return headersOf(token);
}

/** Sessions as a park keeps them; whose rights need a second factor has to give one. */
export const testKeeper = (db: Db, over: Partial<SessionDeps> = {}): SessionKeeper =>
  createSessionKeeper({
    ...{ db, newId, now: () => new Date() },
    idle: { staffMs: 30 * 60_000, tenantMs: 12 * 3_600_000 },
    maxMs: 7 * 86_400_000,
    https: false,
    secondFactor: 'required',
    ...over,
  });

/** The HTTP app with real sessions on `db`; register the slice's routes on it. */
export const createTestApp = (db: Db): Promise<FastifyInstance> =>
  createApp({
    log: pino({ enabled: false }),
    permissions: allPermissions,
    strongPermissions,
    ratePerS: 10_000,
    idempotency: { db, now: () => new Date() },
    authenticate: createAuthenticate({ db, now: () => new Date(), keeper: testKeeper(db) }),
  });
