import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  ClaimCode,
  ClaimCodeBody,
  ClaimCodeParams,
  IdParams,
  NewClaimCode,
  Page,
  readClaimCode,
} from '@parkline/contract';
import Type from 'typebox';
import { actorOf } from '../platform/access.ts';
import { withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { claims } from './claim-repository.ts';
import { found, type GatewayDeps, noted } from './gateway-routes.ts';
import { newClaimCode, sha256 } from './keys.ts';
import { codeView } from './present.ts';

const HOUR_MS = 3_600_000;
const USUAL_HOURS = 24;

/** One-time codes by which a gateway joins. What a code is, is shown once. */
export function codeRoutes({ db, now, newId }: GatewayDeps): FastifyPluginAsyncTypebox {
  const strong = { permission: 'gateway.write', fresh: true } as const;
  return async (app) => {
    app.get(
      '/api/gateways/:id/claim-codes',
      {
        schema: {
          summary: 'List the claim codes of a gateway',
          params: IdParams,
          response: { 200: Page(ClaimCode) },
        },
        config: { permission: 'gateway.write' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const rows = await withActor(db, actor, async (trx) => {
          await found(trx, actor.accountId, id);
          return claims.list(trx, actor.accountId, id);
        });
        return { items: rows.map((row) => codeView(row, now())), next: null };
      },
    );

    app.post(
      '/api/gateways/:id/claim-codes',
      {
        schema: {
          summary: 'Make a claim code; the answer holds it, once',
          params: IdParams,
          body: ClaimCodeBody,
          response: { 201: NewClaimCode },
        },
        config: { ...strong, once: true },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const gatewayId = request.params.id;
        const [at, code] = [now(), newClaimCode()];
        const expiresAt = new Date(at.getTime() + (request.body.hours ?? USUAL_HOURS) * HOUR_MS);
        const row = {
          ...{ id: newId(), accountId, gatewayId, createdAt: at, createdBy: personId, expiresAt },
          codeHash: sha256(readClaimCode(code) ?? ''),
        };
        const listed = await withActor(db, actor, async (trx) => {
          await found(trx, accountId, gatewayId);
          await trx.insertInto('claimCode').values(row).execute();
          await noted(trx, request, at, gatewayId, 'gateway.code_made', {
            details: { codeId: row.id, expiresAt },
          });
          return claims.list(trx, accountId, gatewayId);
        });
        const made = listed.find(({ id }) => id === row.id);
        if (!made) throw new Error('a claim code that was just made is not there');
        return reply.code(201).send({ ...codeView(made, at), code });
      },
    );

    app.delete(
      '/api/gateways/:id/claim-codes/:codeId',
      {
        schema: {
          summary: 'Take a claim code back',
          params: ClaimCodeParams,
          response: { 204: Type.Null() },
        },
        config: { ...strong, ifMatch: 'none' },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const { id, codeId } = request.params;
        await withActor(db, actor, async (trx) => {
          const code = (await claims.list(trx, accountId, id)).find((one) => one.id === codeId);
          if (!code) throw new AppError('not_found', 'no such code', { details: { id: codeId } });
          if (code.burnedAt) throw new AppError('conflict', 'it was used', { details: { why: 'used' } });
          if (code.revokedAt) return;
          await claims.change(trx, accountId, codeId, { revokedAt: now() });
          await noted(trx, request, now(), id, 'gateway.code_revoked', { details: { codeId } });
        });
        return reply.code(204).send(null);
      },
    );
  };
}
