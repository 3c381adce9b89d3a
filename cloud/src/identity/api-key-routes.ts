import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { ApiKey, ApiKeyScopes, IdParams, MadeApiKey, NewApiKey, Page, Uuid } from '@parkline/contract';
import Type from 'typebox';
import { type Actor, actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import type { NewId } from '../platform/ids.ts';
import { type ApiKeyRow, apiKeys, newToken } from './api-keys.ts';
import { audit } from './audit.ts';

const KeyQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  after: Type.Optional(Uuid),
});

const LONGEST_MS = 731 * 86_400_000;
/** Rights to let others in, to hear everything that happens, or to say whose park it is: no program passes them on. */
const neverAKeys: ReadonlySet<string> = new Set([
  ...['apikey.write', 'webhook.write', 'person.write', 'account.write'],
]);

/** What a person can give to a key. Pure. */
export const scopesOf = ({ permissions }: Pick<Actor, 'permissions'>): string[] =>
  [...permissions.keys()].filter((one) => !neverAKeys.has(one)).sort();

export interface ApiKeyDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
}

/** Keys of programs: made by an administrator, told once, revoked at once. */
export const apiKeyRoutes =
  ({ db, now, newId }: ApiKeyDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const config = { permission: 'apikey.write' };
    const changing = { ...config, fresh: true };

    app.get(
      '/api/api-keys',
      {
        config,
        schema: {
          summary: 'List the keys of programs',
          querystring: KeyQuery,
          response: { 200: Page(ApiKey) },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit, after } = request.query;
        const page = { limit: limit + 1, ...(after && { after }) };
        const rows = await withActor(db, actor, (trx) => apiKeys.page(trx, actor.accountId, page));
        const items = rows.slice(0, limit).map(keyView);
        return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
      },
    );

    app.get(
      '/api/api-key-scopes',
      { config, schema: { summary: 'List what can be given to a key', response: { 200: ApiKeyScopes } } },
      async (request) => ({ scopes: scopesOf(actorOf(request)) }),
    );

    app.post(
      '/api/api-keys',
      {
        config: { ...changing, once: true },
        schema: {
          summary: 'Make a key for a program; the answer holds it, once',
          body: NewApiKey,
          response: { 201: MadeApiKey },
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { name, scopes, buildingIds = null } = request.body;
        const at = now();
        const expiresAt = new Date(request.body.expiresAt);
        const id = newId();
        const { token, secretHash } = newToken(id);
        const made = await withActor(db, actor, async (trx) => {
          await check(trx, actor, { scopes, buildingIds, expiresAt, at });
          const key = { id, accountId, name, personId, scopes, buildingIds, createdAt: at, expiresAt };
          await apiKeys.add(trx, { ...key, secretHash });
          const after = { name, scopes, buildingIds, expiresAt: expiresAt.toISOString() };
          const deed = { accountId, at, personId, subjectId: id, ip: request.ip };
          await audit(trx, { ...deed, action: 'api_key.made', after });
          return apiKeys.find(trx, accountId, id);
        });
        return reply.code(201).send({ ...keyView(made!), key: token });
      },
    );

    app.get(
      '/api/api-keys/:id',
      { config, schema: { summary: 'Get a key of a program', params: IdParams, response: { 200: ApiKey } } },
      async (request) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const row = await withActor(db, actor, (trx) => apiKeys.find(trx, actor.accountId, id));
        if (!row) throw new AppError('not_found', 'no such key', { details: { id } });
        return keyView(row);
      },
    );

    app.delete(
      '/api/api-keys/:id',
      {
        config: { ...changing, ifMatch: 'none' },
        schema: {
          params: IdParams,
          response: { 200: ApiKey },
          summary: 'Revoke a key of a program',
          description: 'At once. The key stays in the list; to revoke it again changes nothing.',
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { id } = request.params;
        const at = now();
        const row = await withActor(db, actor, async (trx) => {
          const deed = { accountId, at, personId, subjectId: id, ip: request.ip };
          if (await apiKeys.revoke(trx, accountId, id, at))
            await audit(trx, { ...deed, action: 'api_key.revoked' });
          return apiKeys.find(trx, accountId, id);
        });
        if (!row) throw new AppError('not_found', 'no such key', { details: { id } });
        return keyView(row);
      },
    );
  };

interface Wish {
  readonly scopes: readonly string[];
  readonly buildingIds: readonly string[] | null;
  readonly expiresAt: Date;
  readonly at: Date;
}

/** @throws AppError 'bad_input' naming what its maker cannot give, or a day that is past or too far. */
async function check(trx: Db, actor: Actor, { scopes, buildingIds, expiresAt, at }: Wish): Promise<void> {
  const mine = new Set(scopesOf(actor));
  const foreign = scopes.filter((scope) => !mine.has(scope));
  if (foreign.length > 0) throw badField('body.scopes', keyWords.foreign(foreign));
  const aheadMs = expiresAt.getTime() - at.getTime();
  if (!(aheadMs > 0 && aheadMs <= LONGEST_MS)) throw badField('body.expiresAt', keyWords.expiry);
  if (buildingIds && (await apiKeys.countBuildings(trx, buildingIds)) !== buildingIds.length)
    throw badField('body.buildingIds', fieldWords.noPlace);
}

const keyWords = {
  foreign: (scopes: readonly string[]) => ({
    en: `cannot be given: ${scopes.join(', ')}`,
    zh: `您无权授予：${scopes.join('、')}`,
  }),
  expiry: { en: 'must be ahead, and at most two years', zh: '须为将来的时间，且不超过两年' },
};

const keyView = (row: ApiKeyRow): ApiKey => ({
  ...{ id: row.id, name: row.name, maker: { id: row.personId, name: row.makerName } },
  ...{ scopes: row.scopes, buildingIds: row.buildingIds },
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
  lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  revokedAt: row.revokedAt?.toISOString() ?? null,
});
