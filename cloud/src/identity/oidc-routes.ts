import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  IdParams,
  LoginLink,
  LoginLinkBody,
  LoginLinkStart,
  LoginProvider,
  OidcCallbackQuery,
  OidcStartQuery,
  Page,
} from '@parkline/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { audit } from './audit.ts';
import { createFailureLimit } from './failure-limit.ts';
import { type Oidc, OidcError } from './oidc.ts';
import { identities, oidcGate } from './oidc-store.ts';
import type { SessionKeeper } from './session.ts';

export interface OidcRouteDeps {
  readonly db: Db;
  readonly now: Now;
  readonly oidc: Oidc;
  readonly sessions: SessionKeeper;
  readonly https: boolean;
}

/** Logins begun a minute and address. */
const STARTS_PER_MIN = 60;
const FLOW_S = 600;

/** Logging in through an identity provider, and linking the own person to one. */
export function oidcRoutes(deps: OidcRouteDeps): FastifyPluginAsyncTypebox {
  const { db, now, oidc, sessions, https } = deps;
  const starts = createFailureLimit({ max: STARTS_PER_MIN, windowMs: 60_000, now });
  const cookieName = https ? '__Host-parkline_oidc' : 'parkline_oidc';
  // Lax: the provider's page sends the browser back to us with a plain navigation.
  const cookie = { path: '/', httpOnly: true, sameSite: 'lax', secure: https, maxAge: FLOW_S } as const;
  const open = { permission: 'public' };

  async function begin(request: FastifyRequest, reply: FastifyReply, to: Parameters<Oidc['start']>) {
    const retryAfterS = starts.waitS(request.ip);
    if (retryAfterS > 0) throw new AppError('too_many_requests', 'logins of the address', { retryAfterS });
    starts.note(request.ip);
    const { url, browser } = await oidc.start(...to);
    reply.setCookie(cookieName, browser, cookie);
    return url;
  }

  /** The browser is on a page of the provider: it is told on a page of ours, and the log knows why. */
  function refused(request: FastifyRequest, reply: FastifyReply, error: unknown) {
    if (!(error instanceof OidcError)) throw error;
    const { why, cause } = error;
    const words = cause instanceof Error ? [cause.name, (cause as { code?: string }).code] : undefined;
    request.log.info({ why, cause: words, ip: request.ip }, 'login through a provider refused');
    return reply.redirect(`/login?oidc=${why}`, 302);
  }

  return async (app) => {
    app.get(
      '/api/login/providers',
      {
        config: open,
        schema: { summary: 'List the other ways to log in', response: { 200: Page(LoginProvider) } },
      },
      async () => ({ items: await oidcGate.providers(db), next: null }),
    );

    app.get(
      '/api/login/oidc/:id',
      {
        config: open,
        schema: {
          summary: 'Go to an identity provider to log in',
          operationId: 'startOidcLogin',
          params: IdParams,
          querystring: OidcStartQuery,
        },
      },
      async (request, reply) => {
        const { back } = request.query;
        const url = await begin(request, reply, [request.params.id, { back }]).catch((error: unknown) =>
          refused(request, reply, error),
        );
        return typeof url === 'string' ? reply.redirect(url, 302) : url;
      },
    );

    app.get(
      '/api/login/oidc/callback',
      {
        config: open,
        schema: {
          summary: 'Come back from an identity provider',
          operationId: 'finishOidcLogin',
          querystring: OidcCallbackQuery,
        },
      },
      async (request, reply) => {
        const search = request.url.split('?')[1] ?? '';
        reply.clearCookie(cookieName, { path: '/', secure: https });
        try {
          const { back, isLink, ...person } = await oidc.finish(
            search,
            request.cookies[cookieName],
            request.ip,
          );
          if (!isLink) await sessions.open(request, reply, person);
          return reply.redirect(back, 302);
        } catch (error) {
          return refused(request, reply, error);
        }
      },
    );
    await app.register(ownRoutes(db, now, begin));
  };
}

/** The own links; a session is enough, with a fresh second factor where something changes. */
function ownRoutes(
  db: Db,
  now: Now,
  begin: (request: FastifyRequest, reply: FastifyReply, to: Parameters<Oidc['start']>) => Promise<string>,
): FastifyPluginAsyncTypebox {
  const change = { permission: 'session', fresh: true };
  return (app) => {
    app.get(
      '/api/me/login-links',
      {
        config: { permission: 'session' },
        schema: { summary: 'List the own logins at identity providers', response: { 200: Page(LoginLink) } },
      },
      async (request) => {
        const actor = actorOf(request);
        const offered = await oidcGate.offeredBy(db, actor.accountId);
        const linked = await withActor(db, actor, (trx) =>
          identities.of(trx, actor.accountId, actor.personId),
        );
        const items = offered.map(({ id: providerId, name }) => {
          const at = linked.find((one) => one.providerId === providerId)?.linkedAt;
          return { providerId, name, linkedAt: at?.toISOString() ?? null };
        });
        return { items, next: null };
      },
    );

    app.post(
      '/api/me/login-links',
      {
        config: change,
        schema: {
          summary: 'Begin to link an own login at an identity provider',
          body: LoginLinkBody,
          response: { 200: LoginLinkStart },
        },
      },
      async (request, reply) => {
        const { accountId, personId } = actorOf(request);
        const link = { accountId, personId };
        try {
          const url = await begin(request, reply, [request.body.providerId, { back: '/me', link }]);
          return { url };
        } catch (error) {
          if (!(error instanceof OidcError)) throw error;
          throw new AppError('unavailable', 'provider does not answer', { cause: error });
        }
      },
    );

    app.delete(
      '/api/me/login-links/:id',
      {
        config: { ...change, ifMatch: 'none' },
        schema: {
          summary: 'Unlink an own login at an identity provider',
          params: IdParams,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { id } = request.params;
        await withActor(db, actor, async (trx) => {
          if (!(await identities.unlink(trx, accountId, personId, id)))
            throw new AppError('not_found', 'no such link', { details: { id } });
          if (!(await identities.mayComeIn(trx, accountId, personId)))
            throw new AppError('conflict', 'no other way in', { details: { why: 'last_way_in' } });
          const deed = { accountId, at: now(), personId, action: 'person.unlinked', subjectId: personId };
          await audit(trx, { ...deed, details: { providerId: id }, ip: request.ip });
        });
        return reply.code(204).send(null);
      },
    );
    return Promise.resolve();
  };
}
