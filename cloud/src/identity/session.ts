import { randomBytes } from 'node:crypto';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor, Person } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withAccount, withActor } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import { permissionsOf, rolesOf } from './permissions.ts';
import { audit, gate, sessions } from './repository.ts';

export interface SessionDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  /** Silence that ends a session. */
  readonly idleMs: number;
  /** Age that ends a session whatever it does. */
  readonly maxMs: number;
  /** The portal is reached by https: the cookie is then Secure and bound to the host. */
  readonly https: boolean;
}

/** Opens, finds and ends the sessions of browsers. The cookie holds 256 random bits; the database only their hash. */
export interface SessionKeeper {
  authenticate(request: FastifyRequest): Promise<Person | undefined>;
  /** Sets the cookie. A session that the browser had before ends: its id must not outlive a change of person. */
  open(
    request: FastifyRequest,
    reply: FastifyReply,
    person: { accountId: string; personId: string },
  ): Promise<void>;
  end(actor: Actor, request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

export function createSessionKeeper({ db, now, newId, idleMs, maxMs, https }: SessionDeps): SessionKeeper {
  const cookieName = https ? '__Host-parkline_session' : 'parkline_session';
  const cookie: CookieSerializeOptions = { path: '/', httpOnly: true, sameSite: 'lax', secure: https };

  async function find(request: FastifyRequest) {
    const token = request.cookies[cookieName];
    return token ? gate.sessionOf(db, token, now(), idleMs) : undefined;
  }

  return {
    async authenticate(request) {
      const found = await find(request);
      if (!found) return undefined;
      const { accountId, tenantId, personId, sessionId, grants } = found;
      const who = { accountId, tenantId, personId, sessionId };
      return { ...who, roles: rolesOf(grants), permissions: permissionsOf(grants) };
    },

    async open(request, reply, { accountId, personId }) {
      const before = await find(request);
      if (before)
        await withAccount(db, before.accountId, (trx) =>
          sessions.end(trx, before.accountId, before.sessionId),
        );
      const token = randomBytes(32).toString('base64url');
      const [at, id] = [now(), newId()];
      const expiresAt = new Date(at.getTime() + maxMs);
      await withAccount(db, accountId, async (trx) => {
        await sessions.open(trx, { id, accountId, personId, token, at, expiresAt });
        await audit(trx, {
          accountId,
          at,
          personId,
          action: 'session.opened',
          subjectId: id,
          ip: request.ip,
        });
      });
      reply.setCookie(cookieName, token, { ...cookie, maxAge: Math.floor(maxMs / 1_000) });
    },

    async end(actor, request, reply) {
      const { accountId, personId, sessionId } = actor;
      await withActor(db, actor, async (trx) => {
        await sessions.end(trx, accountId, sessionId);
        const action = 'session.ended';
        await audit(trx, { accountId, at: now(), personId, action, subjectId: sessionId, ip: request.ip });
      });
      reply.clearCookie(cookieName, cookie);
    },
  };
}
