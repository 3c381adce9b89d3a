import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  GatewayBody,
  GatewayIdentityView,
  GatewayPatch,
  GatewayRevocation,
  IdParams,
} from '@parkline/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { audit } from '../identity/index.ts';
import { type Actor, actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import type { NewId } from '../platform/ids.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { credentials } from './credentials.ts';
import { administered } from './gateway-repository.ts';
import { identityView } from './present.ts';

export interface GatewayDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
}

/** How long a gateway that is away may take to change its keys: as long as the ones that it has may live. */
const ROTATE_MS = 30 * 86_400_000;

/** Gateways as an administrator keeps them: added before they exist, renamed, given new keys, thrown out. */
export const gatewayRoutes =
  (deps: GatewayDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(editRoutes(deps));
    await app.register(keyRoutes(deps));
  };

const view = { 200: GatewayIdentityView };

function editRoutes({ db, now, newId }: GatewayDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/gateways/:id',
      {
        schema: { summary: 'Get a gateway with its steps and credentials', params: IdParams, response: view },
        config: { permission: 'gateway.read' },
      },
      async (request, reply) =>
        withActor(db, actorOf(request), (trx) =>
          shown(trx, now(), actorOf(request), request.params.id, reply),
        ),
    );

    app.post(
      '/api/gateways',
      {
        schema: { summary: 'Add a gateway', body: GatewayBody, response: { 201: GatewayIdentityView } },
        config: { permission: 'equipment.write', fresh: true },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const id = newId();
        const made = await withActor(db, actor, async (trx) => {
          await assertBuilding(trx, accountId, request.body.buildingId);
          await unique(() => administered.add(trx, { ...request.body, id, accountId }));
          await noted(trx, request, now(), id, 'gateway.added', { after: request.body });
          return shown(trx, now(), actor, id, reply);
        });
        return reply.code(201).send(made);
      },
    );

    app.patch(
      '/api/gateways/:id',
      {
        schema: {
          summary: 'Change the name or the place of a gateway',
          params: IdParams,
          body: GatewayPatch,
          response: view,
        },
        config: { permission: 'equipment.write', fresh: true },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const { id } = request.params;
        const version = ifMatch(request);
        return withActor(db, actor, async (trx) => {
          const before = await found(trx, accountId, id);
          if (request.body.buildingId) await assertBuilding(trx, accountId, request.body.buildingId);
          const done = await unique(() => administered.change(trx, { accountId, id, version }, request.body));
          if (!done) throw staleEdit(await shown(trx, now(), actor, id));
          const names = Object.keys(request.body) as (keyof GatewayPatch)[];
          const was = Object.fromEntries(names.map((name) => [name, before[name]]));
          await noted(trx, request, now(), id, 'gateway.changed', { before: was, after: request.body });
          return shown(trx, now(), actor, id, reply);
        });
      },
    );

    app.delete(
      '/api/gateways/:id',
      {
        schema: {
          summary: 'Remove a gateway that was never claimed',
          params: IdParams,
          response: { 204: Type.Null() },
        },
        config: { permission: 'gateway.write', fresh: true },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const { id } = request.params;
        const version = ifMatch(request);
        await withActor(db, actor, async (trx) => {
          const { key, claimedAt } = await found(trx, accountId, id);
          if (claimedAt)
            throw new AppError('conflict', 'it was claimed: revoke it', { details: { why: 'claimed' } });
          if (!(await inUse(() => administered.remove(trx, accountId, id, version))))
            throw staleEdit(await shown(trx, now(), actor, id));
          await noted(trx, request, now(), id, 'gateway.removed', { before: { key } });
        });
        return reply.code(204).send(null);
      },
    );
  };
}

function keyRoutes({ db, now, newId }: GatewayDeps): FastifyPluginAsyncTypebox {
  const strong = { permission: 'gateway.write', fresh: true } as const;
  return async (app) => {
    app.post(
      '/api/gateways/:id/revoke',
      {
        schema: { summary: 'Throw a gateway out', params: IdParams, body: GatewayRevocation, response: view },
        config: strong,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const { view, keys } = await withActor(db, actor, async (trx) => {
          const at = now();
          const gateway = await found(trx, actor.accountId, id);
          const { en, zh } = gateway.name;
          if (![en, zh, gateway.key].includes(request.body.name.trim())) throw misnamed();
          await administered.throwOut(trx, actor.accountId, id, at);
          await administered.unask(trx, actor.accountId, id);
          const keys = await credentials.revoke(trx, actor.accountId, id, at);
          await noted(trx, request, at, id, 'gateway.revoked', { details: { keys } });
          return { view: await shown(trx, at, actor, id, reply), keys };
        });
        request.log.info({ gatewayId: id, personId: actor.personId, keys }, 'gateway revoked');
        return view;
      },
    );

    app.post(
      '/api/gateways/:id/rotate',
      {
        schema: { summary: 'Have a gateway make new keys', params: IdParams, response: view },
        config: strong,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { id } = request.params;
        return withActor(db, actor, async (trx) => {
          const at = now();
          await found(trx, accountId, id);
          await administered.lock(trx, accountId, id);
          if (!(await credentials.current(trx, accountId, id)))
            throw new AppError('conflict', 'it has no keys of a claim', { details: { why: 'not_claimed' } });
          // Asked twice while it is away, it changes them once.
          if (await administered.rotation(trx, accountId, id, at)) return shown(trx, at, actor, id, reply);
          const expiresAt = new Date(at.getTime() + ROTATE_MS);
          const ask = { id: newId(), accountId, gatewayId: id, askedAt: at, askedBy: personId, expiresAt };
          await administered.ask(trx, { ...ask, what: 'rotate', lines: null });
          await noted(trx, request, at, id, 'gateway.rotation_asked', { details: { until: expiresAt } });
          return shown(trx, at, actor, id, reply);
        });
      },
    );
  };
}

/** @throws AppError 'not_found'. */
export async function found(trx: Db, accountId: string, id: string) {
  const gateway = await administered.find(trx, accountId, id);
  if (!gateway) throw new AppError('not_found', 'no such gateway', { details: { id } });
  return gateway;
}

async function shown(trx: Db, at: Date, { accountId }: Actor, id: string, reply?: FastifyReply) {
  const gateway = await found(trx, accountId, id);
  if (reply) etag(reply, gateway.version);
  const rotation = await administered.rotation(trx, accountId, id, at);
  return identityView(gateway, await credentials.current(trx, accountId, id), rotation);
}

/** A line of the audit about a gateway, by the person who asks. */
export const noted = (
  trx: Db,
  request: FastifyRequest,
  at: Date,
  subjectId: string,
  action: string,
  facts: { before?: object; after?: object; details?: object },
): Promise<void> => {
  const { accountId, personId } = actorOf(request);
  return audit(trx, { accountId, personId, at, action, subjectId, ip: request.ip, ...facts });
};

const misnamed = (): AppError =>
  badField('body.name', { en: 'must be the name of the gateway', zh: '须为该网关的名称' });

/** A building that whoever asks may not see does not exist. */
async function assertBuilding(trx: Db, accountId: string, buildingId: string): Promise<void> {
  const row = await trx
    .selectFrom('building')
    .select('id')
    .where('accountId', '=', accountId)
    .where('id', '=', buildingId)
    .executeTakeFirst();
  if (!row) throw badField('body.buildingId', fieldWords.noBuilding);
}

const isCode = (error: unknown, code: string): boolean => (error as { code?: unknown } | null)?.code === code;

/** @throws AppError 'conflict' when another gateway has the key. */
async function unique<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isCode(cause, '23505')) throw cause;
    throw new AppError('conflict', 'another gateway has this key', { cause, details: { why: 'key_taken' } });
  }
}

/** @throws AppError 'conflict' while devices hang on it. */
async function inUse<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isCode(cause, '23503')) throw cause;
    throw new AppError('conflict', 'devices hang on it', { cause, details: { why: 'in_use' } });
  }
}
