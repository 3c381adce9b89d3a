import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  DisplayToken,
  IdParams,
  IdListQuery,
  NewDisplayToken,
  NewDisplayTokenBody,
  Page,
} from '@parkline/contract';
import { actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { NewId } from '../platform/ids.ts';
import { audit } from './audit.ts';
import { displayTokens, newDisplayToken } from './display-tokens.ts';
import { entryOf, NoContent } from './factor-deps.ts';

const DAY_MS = 86_400_000;

export interface DisplayDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
}

/** Tokens of wall screens: made, listed, revoked. */
export const displayRoutes =
  ({ db, now, newId }: DisplayDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { permission: 'display.write', fresh: true };

    app.get(
      '/api/display-tokens',
      {
        config: { permission: 'display.write' },
        schema: {
          summary: 'List the wall screens that are let in',
          tags: ['Keys and screens'],
          querystring: IdListQuery,
          response: { 200: Page(DisplayToken) },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit, after } = request.query;
        const rows = await withActor(db, actor, (trx) =>
          displayTokens.page(trx, actor.accountId, { limit: limit + 1, after }),
        );
        const items = rows.slice(0, limit);
        return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
      },
    );

    app.post(
      '/api/display-tokens',
      {
        config: { ...config, once: true },
        schema: {
          summary: 'Let a wall screen in; the answer holds its address, once',
          tags: ['Keys and screens'],
          body: NewDisplayTokenBody,
          response: { 201: NewDisplayToken },
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { name, days = 366 } = request.body;
        const [id, createdAt] = [newId(), now()];
        const expiresAt = new Date(createdAt.getTime() + days * DAY_MS);
        const { token, secretHash } = newDisplayToken(id);
        await withActor(db, actor, async (trx) => {
          await displayTokens.add(trx, { id, accountId, personId, name, secretHash, createdAt, expiresAt });
          const entry = entryOf(actor, createdAt, request.ip);
          const after = { name, expiresAt };
          await audit(trx, { ...entry, action: 'display_token.made', subjectId: id, after });
        });
        return reply.code(201).send({ id, token, expiresAt: expiresAt.toISOString() });
      },
    );

    app.delete(
      '/api/display-tokens/:id',
      {
        config: { ...config, ifMatch: 'none' },
        schema: {
          summary: 'Shut a wall screen out',
          tags: ['Keys and screens'],
          params: IdParams,
          ...NoContent,
        },
      },
      async (request, reply) => {
        const [actor, { id }] = [actorOf(request), request.params];
        await withActor(db, actor, async (trx) => {
          const name = await displayTokens.revoke(trx, actor.accountId, id);
          if (name === undefined) throw new AppError('not_found', 'no such token of a wall screen');
          const entry = entryOf(actor, now(), request.ip);
          await audit(trx, { ...entry, action: 'display_token.revoked', subjectId: id, before: { name } });
        });
        return reply.code(204).send(null);
      },
    );
  };
