import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { ClaimBody, ClaimChallenge, ClaimCompletion, ClaimReply } from '@parkline/contract';
import { createFailureLimit } from '../identity/index.ts';
import { AppError } from '../platform/errors.ts';
import { beginClaim, type ClaimDeps, completeClaim } from './claim.ts';

/** Refusals of one address in a minute before it is asked to wait. */
const MOST_REFUSALS = 100;

/** The two calls of a gateway that nobody knows yet. Whoever holds a living code may ask. */
export const claimRoutes =
  (deps: ClaimDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const refused = createFailureLimit({ max: MOST_REFUSALS, windowMs: 60_000, now: deps.now });
    const stop = new AbortController();
    app.addHook('onClose', () => {
      stop.abort();
      return Promise.resolve();
    });

    /** Counts before it is tried, so that many at once count at once. */
    async function limited<T>(ip: string, work: () => Promise<T>): Promise<T> {
      const retryAfterS = refused.waitS(ip);
      if (retryAfterS > 0)
        throw new AppError('too_many_requests', 'too many refused claims', { retryAfterS });
      refused.note(ip);
      const result = await work();
      refused.forgive(ip);
      return result;
    }

    app.post(
      '/api/claims',
      {
        schema: {
          summary: 'Begin to claim a gateway by its code',
          operationId: 'beginClaim',
          body: ClaimBody,
          response: { 201: ClaimChallenge },
        },
        config: { permission: 'public' },
      },
      async ({ body, ip, log }, reply) => {
        const challenge = await limited(ip, () => beginClaim(deps, body.code, body.site));
        log.info({ gatewayId: challenge.gateway.id }, 'claim begun');
        return reply.code(201).send(challenge);
      },
    );

    app.post(
      '/api/claims/complete',
      {
        schema: {
          summary: 'Prove the gateway’s keys and receive its credentials',
          operationId: 'completeClaim',
          body: ClaimCompletion,
          response: { 200: ClaimReply },
        },
        config: { permission: 'public' },
      },
      async ({ body, ip, log }) => {
        const claimed = await limited(ip, () => completeClaim(deps, body, ip, stop.signal));
        log.info({ gatewayId: claimed.gatewayId, isSigned: claimed.credentials !== null }, 'gateway claimed');
        return claimed;
      },
    );
  };
