import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  CodeBody,
  Enrolled,
  Factors,
  IdParams,
  NewPasskeyBody,
  NewTotp,
  NewTotpBody,
  PasskeyOptions,
  RecoveryCodes,
} from '@parkline/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Actor, actorOf } from '../platform/access.ts';
import { withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { entryOf, type FactorDeps, NoContent, ownerOf, takeChallenge } from './factor-deps.ts';
import { factorGivingRoutes } from './factor-giving.ts';
import { checkEnrolment, enrolmentOptions, partyOf } from './passkeys.ts';
import { needsSecondFactor } from './permissions.ts';
import { audit } from './audit.ts';
import { people } from './repository.ts';
import { roster } from './roster.ts';
import { factors } from './second-factors.ts';
import { sessions } from './session-store.ts';
import { newTotpSecret, totpEnrolment } from './totp.ts';

/** Second factors of the person who asks: enrolled, listed, removed, and given in a session. */
export const factorRoutes =
  (deps: FactorDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(totpRoutes(deps));
    await app.register(passkeyRoutes(deps));
    await app.register(ownFactorRoutes(deps));
    await app.register(factorGivingRoutes(deps));
  };

/** A factor that was proved counts as given in this session; with the first come the recovery codes. */
async function enrolled(
  { db, now, keeper }: FactorDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  factor: { id: string; kind: string; name: string },
): Promise<Enrolled> {
  const actor = actorOf(request);
  const owner = ownerOf(actor);
  const recoveryCodes = await withActor(db, actor, async (trx) => {
    const after = { kind: factor.kind, name: factor.name };
    const entry = entryOf(actor, now(), request.ip);
    await audit(trx, {
      ...entry,
      action: 'second_factor.enrolled',
      subjectId: factor.id,
      after,
    });
    const all = await factors.list(trx, owner);
    return all.length === 1 ? await factors.renewRecoveryCodes(trx, owner) : undefined;
  });
  await keeper.renew(actor, reply, 'second_factor');
  return recoveryCodes ? { recoveryCodes } : {};
}

const totpRoutes =
  (deps: FactorDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db, now, newId, secrets, attempts } = deps;
    const config = { permission: 'session', pending: 'enrol' } as const;

    app.post(
      '/api/me/second-factors/totp',
      {
        config: { ...config, once: true },
        schema: {
          summary: 'Begin to enrol an authenticator app',
          operationId: 'beginTotp',
          body: NewTotpBody,
          response: { 201: NewTotp },
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const [id, secret, at] = [newId(), newTotpSecret(), now()];
        const login = await withActor(db, actor, async (trx) => {
          await factors.beginTotp(trx, secrets, {
            ...ownerOf(actor),
            ...{ id, secret, at },
            name: request.body.name,
          });
          return (await people.find(trx, actor.accountId, actor.personId))?.login ?? '';
        });
        return reply.code(201).send({ id, ...totpEnrolment(secret, 'Parkline', login) });
      },
    );

    app.post(
      '/api/me/second-factors/totp/:id/confirm',
      {
        config: { ...config, once: true },
        schema: {
          summary: 'Confirm an authenticator app by its first code',
          operationId: 'confirmTotp',
          params: IdParams,
          body: CodeBody,
          response: { 200: Enrolled },
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const app = { ...ownerOf(actor), id };
        if (!(await withActor(db, actor, (trx) => factors.isBegun(trx, app))))
          throw new AppError('not_found', 'no such app was begun', { details: { id } });
        const right = await attempts.run('second_factor', actor.personId, () =>
          withActor(db, actor, (trx) =>
            factors.confirmTotp(trx, secrets, app, request.body.code.trim(), now()),
          ),
        );
        if (!right) throw new AppError('code_refused', 'wrong code for a new app');
        const all = await withActor(db, actor, (trx) => factors.list(trx, ownerOf(actor)));
        const name = all.find((one) => one.id === id)?.name ?? '';
        return enrolled(deps, request, reply, { id, kind: 'totp', name });
      },
    );
  };

const passkeyRoutes =
  (deps: FactorDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db, now, newId, publicUrl } = deps;
    const config = { permission: 'session', pending: 'enrol' } as const;

    app.post(
      '/api/me/second-factors/passkey/options',
      {
        config,
        schema: {
          summary: 'Begin to enrol a passkey',
          operationId: 'beginPasskey',
          response: { 200: PasskeyOptions },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const party = partyOf(request, publicUrl);
        const options = await withActor(db, actor, async (trx) => {
          const person = await people.find(trx, actor.accountId, actor.personId);
          if (!person) throw new AppError('not_logged_in', 'person is gone');
          const made = await enrolmentOptions(party, person, await factors.passkeys(trx, ownerOf(actor)));
          await sessions.setChallenge(trx, actor.accountId, actor.sessionId, made.challenge, now());
          return made;
        });
        return { options };
      },
    );

    app.post(
      '/api/me/second-factors/passkey',
      {
        config: { ...config, once: true },
        schema: {
          summary: 'Enrol a passkey',
          operationId: 'addPasskey',
          body: NewPasskeyBody,
          response: { 201: Enrolled },
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const party = partyOf(request, publicUrl);
        const { name, response } = request.body;
        const challenge = await takeChallenge(deps, actor);
        const key = challenge && (await checkEnrolment(party, challenge, response));
        if (!key) throw new AppError('passkey_refused', 'a passkey did not prove itself');
        const id = newId();
        const added = await withActor(db, actor, (trx) =>
          factors.addPasskey(trx, { ...ownerOf(actor), id, name, key, at: now() }),
        );
        if (!added) throw new AppError('already_done', 'this passkey is enrolled');
        return reply.code(201).send(await enrolled(deps, request, reply, { id, kind: 'passkey', name }));
      },
    );
  };

const ownFactorRoutes =
  ({ db, now, rule }: FactorDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { permission: 'session', fresh: true } as const;
    const isRequired = ({ permissions }: Actor): boolean =>
      rule === 'required' && needsSecondFactor(permissions);

    app.get(
      '/api/me/second-factors',
      {
        config: { permission: 'session' },
        schema: { summary: 'List the own second factors, and what is demanded', response: { 200: Factors } },
      },
      async (request) => {
        const actor = actorOf(request);
        return withActor(db, actor, async (trx) => ({
          items: await factors.list(trx, ownerOf(actor)),
          required: isRequired(actor),
          recoveryCodesLeft: await factors.recoveryCodesLeft(trx, ownerOf(actor)),
        }));
      },
    );

    app.delete(
      '/api/me/second-factors/:id',
      {
        config: { ...config, ifMatch: 'none' },
        schema: { summary: 'Remove an own second factor', params: IdParams, ...NoContent },
      },
      async (request, reply) => {
        const [actor, { id }] = [actorOf(request), request.params];
        const owner = ownerOf(actor);
        await withActor(db, actor, async (trx) => {
          await roster.lock(trx, owner.accountId, owner.personId); // Of two removals at once the second counts anew.
          const all = await factors.list(trx, owner);
          const factor = all.find((one) => one.id === id);
          if (!factor) throw new AppError('not_found', 'no such second factor of this person');
          const isLast = all.length === 1;
          if (isLast && isRequired(actor))
            throw new AppError('conflict', 'the last second factor', { details: { why: 'last_factor' } });
          await factors.remove(trx, { ...owner, id });
          if (isLast) await factors.dropRecoveryCodes(trx, owner);
          const before = { kind: factor.kind, name: factor.name };
          const entry = entryOf(actor, now(), request.ip);
          await audit(trx, {
            ...entry,
            action: 'second_factor.removed',
            subjectId: id,
            before,
          });
        });
        return reply.code(204).send(null);
      },
    );

    app.post(
      '/api/me/recovery-codes',
      {
        config: { ...config, once: true },
        schema: {
          summary: 'Make new recovery codes in place of the old ones',
          operationId: 'renewRecoveryCodes',
          response: { 200: RecoveryCodes },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const codes = await withActor(db, actor, async (trx) => {
          if ((await factors.list(trx, ownerOf(actor))).length === 0)
            throw new AppError('conflict', 'nothing to recover', { details: { why: 'no_factor' } });
          const action = 'recovery_codes.renewed';
          await audit(trx, { ...entryOf(actor, now(), request.ip), action });
          return factors.renewRecoveryCodes(trx, ownerOf(actor));
        });
        return { codes };
      },
    );
  };
