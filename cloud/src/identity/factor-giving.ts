import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { CodeBody, PasskeyBody, PasskeyOptions } from '@parkline/contract';
import type { FastifyRequest } from 'fastify';
import { type Actor, actorOf } from '../platform/access.ts';
import { withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { entryOf, type FactorDeps, NoContent, ownerOf, takeChallenge } from './factor-deps.ts';
import { checkProof, partyOf, proofOptions } from './passkeys.ts';
import { audit } from './audit.ts';
import { factors } from './second-factors.ts';
import { sessions } from './session-store.ts';

const CODE = /^\d{6}$/;

/** Giving a second factor in a session, at login and whenever a fresh one is asked for. */
export const factorGivingRoutes =
  (deps: FactorDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db, now, secrets, keeper, attempts, publicUrl } = deps;
    const config = { permission: 'session', pending: 'give' } as const;

    /** Whether it is right; then it is used up. */
    const take = (actor: Actor, code: string, ip: string): Promise<boolean> =>
      withActor(db, actor, async (trx) => {
        const at = now();
        if (CODE.test(code)) return factors.takeTotp(trx, secrets, ownerOf(actor), code, at);
        const right = await factors.takeRecoveryCode(trx, ownerOf(actor), code, at);
        if (right) await audit(trx, { ...entryOf(actor, at, ip), action: 'recovery_code.used' });
        return right;
      });

    app.post(
      '/api/me/second-factor/code',
      {
        config,
        schema: {
          summary: 'Give the second factor as a code',
          operationId: 'giveSecondFactorCode',
          body: CodeBody,
          ...NoContent,
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const right = await attempts.run('second_factor', actor.personId, () =>
          take(actor, request.body.code.trim(), request.ip),
        );
        if (!right) throw new AppError('code_refused', 'wrong code, or one that was used');
        await keeper.renew(actor, reply, 'second_factor');
        return reply.code(204).send(null);
      },
    );

    app.post(
      '/api/me/second-factor/passkey/options',
      {
        config,
        schema: {
          summary: 'Begin to give the second factor as a passkey',
          operationId: 'beginPasskeyProof',
          response: { 200: PasskeyOptions },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const party = partyOf(request, publicUrl);
        const options = await withActor(db, actor, async (trx) => {
          const known = await factors.passkeys(trx, ownerOf(actor));
          if (known.length === 0) throw new AppError('not_found', 'no passkey of this person');
          const made = await proofOptions(party, known);
          await sessions.setChallenge(trx, actor.accountId, actor.sessionId, made.challenge, now());
          return made;
        });
        return { options };
      },
    );

    app.post(
      '/api/me/second-factor/passkey',
      {
        config,
        schema: {
          summary: 'Give the second factor as a passkey',
          operationId: 'giveSecondFactorPasskey',
          body: PasskeyBody,
          ...NoContent,
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const right = await attempts.run('second_factor', actor.personId, () =>
          isProved(deps, request, request.body.response),
        );
        if (!right) throw new AppError('passkey_refused', 'a passkey did not prove itself');
        await keeper.renew(actor, reply, 'second_factor');
        return reply.code(204).send(null);
      },
    );
  };

async function isProved(
  deps: FactorDeps,
  request: FastifyRequest,
  response: PasskeyBody['response'],
): Promise<boolean> {
  const actor = actorOf(request);
  const party = partyOf(request, deps.publicUrl);
  const challenge = await takeChallenge(deps, actor);
  if (!challenge) return false;
  return withActor(deps.db, actor, async (trx) => {
    const known = await factors.passkeys(trx, ownerOf(actor));
    const key = known.find(({ credentialId }) => credentialId.toString('base64url') === response.id);
    const counter = key && (await checkProof(party, challenge, key, response));
    if (!key || counter === undefined) return false;
    return factors.notePasskey(trx, { ...ownerOf(actor), id: key.id }, counter, deps.now());
  });
}
