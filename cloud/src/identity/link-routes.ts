import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  AcceptInvitationBody,
  InvitationLook,
  LinkBody,
  NewPasswordBody,
  PasswordResetBody,
} from '@parkline/contract';
import Type from 'typebox';
import type { Now, Wait } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import { createFailureLimit } from './failure-limit.ts';
import type { LinkHolders } from './link-holders.ts';
import type { SessionKeeper } from './session.ts';

export interface LinkRouteDeps {
  readonly holders: LinkHolders;
  readonly sessions: SessionKeeper;
  readonly now: Now;
  readonly wait: Wait;
}

/** Links tried in vain, and links asked for, a minute and address. High, because a whole park may sit behind one address. */
const TRIES_PER_MIN = 100;
const ASKED_PER_MIN = 30;
/** For one login typed, known or not. */
const ASKED_PER_HOUR = 5;
/** Answers take so long: it must not show in the time whether there is such a person. */
const ANSWER_AFTER_MS = 300;

const NoContent = { 204: Type.Null() };

/** For who is not logged in: accepting an invitation, and a forgotten password. */
export function linkRoutes({ holders, sessions, now, wait }: LinkRouteDeps): FastifyPluginAsyncTypebox {
  const config = { permission: 'public' };
  const tries = createFailureLimit({ max: TRIES_PER_MIN, windowMs: 60_000, now });
  const askedFrom = createFailureLimit({ max: ASKED_PER_MIN, windowMs: 60_000, now });
  const askedFor = createFailureLimit({ max: ASKED_PER_HOUR, windowMs: 3_600_000, now });

  /** @throws AppError 'too_many_requests'. */
  function count(limit: typeof tries, key: string): void {
    const retryAfterS = limit.waitS(key);
    if (retryAfterS > 0) throw new AppError('too_many_requests', 'links of the address', { retryAfterS });
    limit.note(key);
  }

  return (app) => {
    app.post(
      '/api/invitation',
      {
        config,
        schema: {
          summary: 'Show whom an invitation is for',
          operationId: 'lookAtInvitation',
          body: LinkBody,
          response: { 200: InvitationLook },
        },
      },
      async (request) => {
        count(tries, request.ip);
        const look = await holders.look(request.body.token, request.language);
        tries.forgive(request.ip);
        return look;
      },
    );

    app.post(
      '/api/invitation/accept',
      {
        config,
        schema: {
          summary: 'Accept an invitation and choose a password',
          operationId: 'acceptInvitation',
          body: AcceptInvitationBody,
          response: NoContent,
        },
      },
      async (request, reply) => {
        count(tries, request.ip);
        const person = await holders.accept(request.body, request.ip);
        tries.forgive(request.ip);
        await sessions.open(request, reply, person);
        return reply.code(204).send(null);
      },
    );

    app.post(
      '/api/password-reset',
      {
        config,
        schema: {
          summary: 'Ask for a link to choose a new password',
          operationId: 'askForPasswordReset',
          body: PasswordResetBody,
          response: NoContent,
        },
      },
      async (request, reply) => {
        const { login } = request.body;
        count(askedFrom, request.ip);
        count(askedFor, login.trim().toLowerCase());
        const never = new AbortController();
        await Promise.all([holders.askForReset(login, request.ip), wait(ANSWER_AFTER_MS, never.signal)]);
        return reply.code(204).send(null);
      },
    );

    app.post(
      '/api/password-reset/complete',
      {
        config,
        schema: {
          summary: 'Choose a new password by such a link',
          operationId: 'completePasswordReset',
          body: NewPasswordBody,
          response: NoContent,
        },
      },
      async (request, reply) => {
        count(tries, request.ip);
        await holders.resetPassword(request.body, request.ip);
        tries.forgive(request.ip);
        return reply.code(204).send(null);
      },
    );
    return Promise.resolve();
  };
}
