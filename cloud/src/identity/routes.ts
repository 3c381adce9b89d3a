import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { LoginBody, Me, SessionState, SetupBody, SetupState } from '@parkline/contract';
import Type from 'typebox';
import { actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withAccount, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { inLanguage, type LocalText } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';
import { createFailureLimit } from './failure-limit.ts';
import { devices } from './known-devices.ts';
import type { Passwords } from './password.ts';
import { requireGoodPassword } from './password-rules.ts';
import { audit } from './audit.ts';
import { gate, loginHash, people } from './repository.ts';
import type { SessionKeeper } from './session.ts';
import { isSetupToken } from './setup.ts';
import { createTurns } from './turns.ts';

export interface IdentityDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  readonly passwords: Passwords;
  readonly sessions: SessionKeeper;
  /** SHA-256 (hex) of the one-time token; without it nobody can set the park up over HTTP. */
  readonly setupTokenSha256?: string | undefined;
  /** Name of the tenant that somebody belongs to; tenants are another slice's. */
  readonly nameOfTenant: (db: Db, accountId: string, tenantId: string) => Promise<LocalText | undefined>;
}

/** Failed logins a minute and address. High, because all tenants of a park may sit behind one address. */
const FAILURES_PER_MIN = 100;

const parkUnnamed = { en: 'is needed: the park has no name yet', zh: '为必填项：园区尚未命名' };

const NoContent = { response: { 204: Type.Null() } };

/** Login, logout, who am I, and the set-up of an empty park. */
export function identityRoutes(deps: IdentityDeps): FastifyPluginAsyncTypebox {
  const { db, now, newId, passwords, sessions } = deps;
  // An attempt counts as failed until its password was checked: several devices of one person must not lock each other out.
  const inTurn = createTurns();
  const failures = createFailureLimit({ max: FAILURES_PER_MIN, windowMs: 60_000, now });

  /** Counts a failure for the address until `forgive` is called. @throws AppError 'too_many_requests'. */
  function begin(ip: string): void {
    const retryAfterS = failures.waitS(ip);
    if (retryAfterS > 0) throw new AppError('too_many_requests', 'failures of the address', { retryAfterS });
    failures.note(ip);
  }

  /**
   * `device`: what the browser has of an earlier login; its attempts count for themselves, so strangers lock nobody out there.
   * @throws AppError when the login is locked, unknown or the password wrong: the last two look the same.
   */
  async function check({ login, password }: LoginBody, device: string | undefined) {
    const at = now();
    const bucket = await devices.bucketOf(db, login, loginHash(login), device, at);
    const begun = await gate.loginBegin(db, login, bucket, at);
    const { lockedUntil, personId, accountId, passwordHash } = begun;
    if (lockedUntil) {
      const retryAfterS = Math.max(1, Math.ceil((lockedUntil.getTime() - at.getTime()) / 1_000));
      throw new AppError('too_many_requests', 'login is locked', { retryAfterS });
    }
    const right = await passwords.verify(password, passwordHash);
    if (!right || !personId || !accountId || !passwordHash) {
      const triedAs = personId && accountId ? { accountId, personId } : undefined;
      throw new AppError('login_refused', 'wrong login or password', { triedAs });
    }
    await gate.loginSucceeded(db, bucket);
    return { personId, accountId, passwordHash };
  }

  return async (app) => {
    const open = { permission: 'public' };

    app.post(
      '/api/login',
      {
        config: open,
        schema: { summary: 'Log in with a password', operationId: 'login', body: LoginBody, ...NoContent },
      },
      async (request, reply) => {
        begin(request.ip);
        const { personId, accountId, passwordHash } = await inTurn(request.body.login.toLowerCase(), () =>
          check(request.body, sessions.deviceOf(request)),
        );
        failures.forgive(request.ip);
        if (passwords.isOutdated(passwordHash)) {
          const hash = await passwords.hash(request.body.password);
          await withAccount(db, accountId, (trx) => people.setPasswordHash(trx, accountId, personId, hash));
        }
        await sessions.open(request, reply, { accountId, personId });
        return reply.code(204).send(null);
      },
    );

    app.post(
      '/api/logout',
      { config: { permission: 'session' }, schema: { summary: 'Log out', ...NoContent } },
      async (request, reply) => {
        await sessions.end(actorOf(request), request, reply);
        return reply.code(204).send(null);
      },
    );

    app.get(
      '/api/session',
      {
        config: open,
        schema: {
          summary: 'Say whether somebody is logged in, and how far',
          response: { 200: SessionState },
        },
      },
      async (request) => {
        const person = await sessions.authenticate(request);
        if (!person?.secondFactor) return { active: false };
        const { stage, kinds } = person.secondFactor;
        return { active: true, stage, kinds: [...kinds] };
      },
    );

    app.get(
      '/api/me',
      {
        config: { permission: 'session' },
        schema: { summary: 'Say who is logged in, with the rights of that person', response: { 200: Me } },
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId, tenantId, personId } = actor;
        const { me, tenant } = await withActor(db, actor, async (trx) => ({
          me: await people.find(trx, accountId, personId),
          tenant: tenantId ? await deps.nameOfTenant(trx, accountId, tenantId) : undefined,
        }));
        if (!me) throw new AppError('not_logged_in', 'person is gone');
        return {
          ...me,
          accountName: inLanguage(me.accountName, request.language),
          tenantName: tenant ? inLanguage(tenant, request.language) : null,
          roles: actor.roles as Me['roles'],
          permissions: [...actor.permissions.keys()].sort(),
        };
      },
    );

    app.get(
      '/api/setup',
      {
        config: open,
        schema: {
          summary: 'Say whether the first administrator is still to be made',
          response: { 200: SetupState },
        },
      },
      async () => ({
        needed: await gate.isSetupNeeded(db),
        named: await gate.isParkNamed(db),
      }),
    );

    app.post(
      '/api/setup',
      {
        config: open,
        schema: {
          summary: 'Make the first administrator of an empty park',
          operationId: 'setup',
          body: SetupBody,
          ...NoContent,
        },
      },
      async (request, reply) => {
        begin(request.ip);
        const { token, login, name, password, park = null } = request.body;
        if (!isSetupToken(token, deps.setupTokenSha256)) throw new AppError('setup_refused', 'wrong token');
        if (!(await gate.isSetupNeeded(db))) throw new AppError('setup_refused', 'a person exists');
        if (!park && !(await gate.isParkNamed(db))) throw badField('body.park', parkUnnamed);
        requireGoodPassword(password, 'body.password', [login, name]);

        const [personId, hash] = [newId(), await passwords.hash(password)];
        const first = { accountId: newId(), park, personId, login, name, hash, roles: ['account_admin'] };
        const accountId = await gate.setUpFirstPerson(db, first);
        if (!accountId) throw new AppError('setup_refused', 'somebody was first');
        failures.forgive(request.ip);
        await withAccount(db, accountId, (trx) =>
          audit(trx, {
            accountId,
            at: now(),
            personId,
            action: 'park.set_up',
            subjectId: personId,
            ip: request.ip,
          }),
        );
        await sessions.open(request, reply, { accountId, personId });
        return reply.code(204).send(null);
      },
    );
  };
}
