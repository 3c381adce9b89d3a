import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IdParams, ListQuery, OwnSession, Page, PasswordBody } from '@parkline/contract';
import { actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { pageOf } from '../platform/pages.ts';
import type { Attempts } from './attempts.ts';
import { audit } from './audit.ts';
import { entryOf, NoContent } from './factor-deps.ts';
import { devices } from './known-devices.ts';
import type { Passwords } from './password.ts';
import { requireGoodPassword } from './password-rules.ts';
import { people } from './repository.ts';
import type { SessionKeeper } from './session.ts';
import { sessions } from './session-store.ts';

export interface OwnDeps {
  readonly db: Db;
  readonly now: Now;
  readonly passwords: Passwords;
  readonly keeper: SessionKeeper;
  readonly attempts: Attempts;
}

/** The sessions and the password of the person who asks. */
export const ownRoutes =
  (deps: OwnDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(ownSessionRoutes(deps));
    await app.register(ownPasswordRoutes(deps));
  };

const ownSessionRoutes =
  ({ db, now }: OwnDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { permission: 'session' };

    app.get(
      '/api/me/sessions',
      {
        config,
        schema: {
          summary: 'List the own sessions',
          querystring: ListQuery,
          response: { 200: Page(OwnSession) },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId, personId, sessionId } = actor;
        const items = await withActor(db, actor, (trx) =>
          sessions.list(trx, accountId, personId, sessionId, now()),
        );
        return pageOf(items, request.query, ({ id }) => id);
      },
    );

    app.delete(
      '/api/me/sessions',
      {
        config: { ...config, ifMatch: 'none' },
        schema: {
          summary: 'End all own sessions but this one',
          operationId: 'deleteMyOtherSessions',
          ...NoContent,
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId, sessionId } = actor;
        await withActor(db, actor, async (trx) => {
          const ended = await sessions.endAllOf(trx, accountId, personId, sessionId);
          const entry = entryOf(actor, now(), request.ip);
          await audit(trx, { ...entry, action: 'session.others_ended', details: { ended } });
        });
        return reply.code(204).send(null);
      },
    );

    app.delete(
      '/api/me/sessions/:id',
      {
        config: { ...config, ifMatch: 'none' },
        schema: { summary: 'End an own session', params: IdParams, ...NoContent },
      },
      async (request, reply) => {
        const [actor, { id }] = [actorOf(request), request.params];
        await withActor(db, actor, async (trx) => {
          if (!(await sessions.endOwn(trx, actor.accountId, actor.personId, id)))
            throw new AppError('not_found', 'no such session of this person');
          const entry = entryOf(actor, now(), request.ip);
          await audit(trx, { ...entry, action: 'session.ended', subjectId: id });
        });
        return reply.code(204).send(null);
      },
    );
  };

const ownPasswordRoutes =
  ({ db, now, passwords, keeper, attempts }: OwnDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/api/me/password',
      {
        config: { permission: 'session', fresh: true },
        schema: {
          summary: 'Change the own password',
          operationId: 'changeMyPassword',
          body: PasswordBody,
          ...NoContent,
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId, sessionId } = actor;
        const { password, newPassword } = request.body;
        const person = await withActor(db, actor, (trx) => people.find(trx, accountId, personId));
        if (!person) throw new AppError('not_logged_in', 'person is gone');
        const old = await withActor(db, actor, (trx) => people.passwordHashOf(trx, accountId, personId));
        const right = await attempts.run('own_password', personId, () => passwords.verify(password, old));
        if (!right) throw new AppError('password_refused', 'wrong old password');
        requireGoodPassword(newPassword, 'body.newPassword', [person.login, person.name]);

        const hash = await passwords.hash(newPassword);
        await withActor(db, actor, async (trx) => {
          await people.setPasswordHash(trx, accountId, personId, hash);
          await sessions.endAllOf(trx, accountId, personId, sessionId);
          await devices.forgetAll(trx, accountId, personId, keeper.deviceOf(request));
          const entry = entryOf(actor, now(), request.ip);
          await audit(trx, { ...entry, action: 'password.changed', subjectId: personId });
        });
        await keeper.renew(actor, reply);
        return reply.code(204).send(null);
      },
    );
  };
