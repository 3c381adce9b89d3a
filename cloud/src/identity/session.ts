import { randomBytes } from 'node:crypto';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor, Person } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withAccount, withActor } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import type { SecondFactor } from '../platform/second-factor.ts';
import { csrfTokenOf, requireCsrfToken } from './csrf.ts';
import { DEVICE_MS, devices, isBrowser } from './known-devices.ts';
import { needsSecondFactor, permissionsOf, rolesOf } from './permissions.ts';
import { audit } from './audit.ts';
import { type FoundSession, type IdleTimes, sessionGate, sessions } from './session-store.ts';

/** 'required': whoever administers, commands or bills has to enrol one. 'when_enrolled': it is asked of who has one. */
export type SecondFactorRule = 'required' | 'when_enrolled';

export interface SessionDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  readonly idle: IdleTimes;
  /** Age that ends a session whatever it does. */
  readonly maxMs: number;
  /** The portal is reached by https: the cookie is then Secure and bound to the host. */
  readonly https: boolean;
  readonly secondFactor: SecondFactorRule;
}

/** Opens, finds and ends the sessions of browsers. The cookie holds 256 random bits; the database only their hash. */
export interface SessionKeeper {
  /**
   * Who a request comes from, by its cookie.
   * @throws AppError 'csrf_refused' where it would change something and does not know the session's token.
   */
  authenticate(request: FastifyRequest): Promise<Person | undefined>;
  /** Sets the cookies; `factorGiven`: the second factor came with the login. A session that the browser had before ends: its id must not outlive a change of person. */
  open(
    request: FastifyRequest,
    reply: FastifyReply,
    person: { accountId: string; personId: string; factorGiven?: boolean },
  ): Promise<void>;
  /** What a browser has of an earlier login in it, of whomever. */
  deviceOf(request: FastifyRequest): string | undefined;
  /** Gives the session that asks new cookies, after the second factor or a change of rights; the old ones are worth nothing. */
  renew(actor: Actor, reply: FastifyReply, given?: 'second_factor'): Promise<void>;
  end(actor: Actor, request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

/** A second factor is fresh for so long. */
const FRESH_MS = 600_000;

export function createSessionKeeper(deps: SessionDeps): SessionKeeper {
  const { db, now, newId, idle, maxMs, https, secondFactor } = deps;
  const prefix = https ? '__Host-' : '';
  const [cookieName, csrfName] = [`${prefix}parkline_session`, `${prefix}parkline_csrf`];
  const deviceName = `${prefix}parkline_device`;
  const shared: CookieSerializeOptions = { path: '/', sameSite: 'lax', secure: https };
  const hidden: CookieSerializeOptions = { ...shared, httpOnly: true };

  const find = async (token: string | undefined) =>
    token ? sessionGate.find(db, token, now(), idle) : undefined;

  /** The page repeats the second cookie as a header: a page of another site can read neither. */
  function setCookies(reply: FastifyReply, token: string): void {
    const maxAge = Math.floor(maxMs / 1_000);
    reply.setCookie(cookieName, token, { ...hidden, maxAge });
    reply.setCookie(csrfName, csrfTokenOf(token), { ...shared, maxAge });
  }

  return {
    async authenticate(request) {
      const token = request.cookies[cookieName];
      const found = await find(token);
      if (!found || !token) return undefined;
      if (request.routeOptions.config.permission !== 'public') requireCsrfToken(request, token);
      return personOf(found, secondFactor, now());
    },

    async open(request, reply, { accountId, personId, factorGiven = false }) {
      const before = await find(request.cookies[cookieName]);
      if (before)
        await withAccount(db, before.accountId, (trx) =>
          sessions.end(trx, before.accountId, before.sessionId),
        );
      const token = randomBytes(32).toString('base64url');
      const [at, id] = [now(), newId()];
      const expiresAt = new Date(at.getTime() + maxMs);
      const device = request.headers['user-agent'] ?? '';
      const { ip } = request;
      const known = await withAccount(db, accountId, async (trx) => {
        const factorAt = factorGiven ? at : null;
        await sessions.open(trx, { id, accountId, personId, token, at, expiresAt, factorAt, ip, device });
        await audit(trx, { accountId, at, personId, action: 'session.opened', subjectId: id, ip });
        return isBrowser(device) ? devices.used(trx, personId, request.cookies[deviceName], at) : undefined;
      });
      setCookies(reply, token);
      const maxAge = DEVICE_MS / 1_000; // It outlives the session: that is what it is for.
      if (known) reply.setCookie(deviceName, known, { ...hidden, maxAge });
    },

    deviceOf: (request) => request.cookies[deviceName],

    async renew(actor, reply, given) {
      const { accountId, sessionId: id } = actor;
      const token = randomBytes(32).toString('base64url');
      const factorAt = given && now();
      await withActor(db, actor, (trx) =>
        sessions.renew(trx, { accountId, id, token, ...(factorAt && { factorAt }) }),
      );
      setCookies(reply, token);
    },

    async end(actor, request, reply) {
      const { accountId, personId, sessionId } = actor;
      await withActor(db, actor, async (trx) => {
        await sessions.end(trx, accountId, sessionId);
        const action = 'session.ended';
        await audit(trx, { accountId, at: now(), personId, action, subjectId: sessionId, ip: request.ip });
      });
      reply.clearCookie(cookieName, hidden);
      reply.clearCookie(csrfName, shared);
    },
  };
}

function personOf(found: FoundSession, rule: SecondFactorRule, at: Date): Person {
  const { accountId, tenantId, personId, sessionId, grants } = found;
  const permissions = permissionsOf(grants);
  const secondFactor = secondFactorOf(found, rule, needsSecondFactor(permissions), at);
  const who = { accountId, tenantId, personId, sessionId, by: 'session' as const, secondFactor };
  return { ...who, roles: rolesOf(grants), permissions };
}

/** How far a session is. Pure. */
export function secondFactorOf(
  { factorAt, factorKinds: kinds }: Pick<FoundSession, 'factorAt' | 'factorKinds'>,
  rule: SecondFactorRule,
  isNeeded: boolean,
  at: Date,
): SecondFactor {
  if (factorAt) return { stage: 'open', kinds, isFresh: at.getTime() - factorAt.getTime() < FRESH_MS };
  if (kinds.length > 0) return { stage: 'give', kinds, isFresh: false };
  if (rule === 'when_enrolled') return { stage: 'open', kinds, isFresh: true };
  return { stage: isNeeded ? 'enrol' : 'open', kinds, isFresh: false };
}
