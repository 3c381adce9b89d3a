import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IdParams, PointBody, PointDetail, Removed } from '@parkline/contract';
import type { Template } from '@parkline/templates';
import type { FastifyRequest } from 'fastify';
import { type Actor, actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { noSuch } from './equipment-routes.ts';
import { loadModel, pointDetail } from './model.ts';
import { differences, noteChange, refuseFaults, refuseTaken, type ThingDeps } from './thing-changes.ts';
import { ownPointFaults } from './thing-checks.ts';
import { pointColumns, things, unlessNamed } from './thing-repository.ts';

type PointDeps = ThingDeps & { readonly templates: ReadonlyMap<string, Template> };

/** Points as people make, change and retire them; their values are telemetry's. */
export const pointRoutes =
  (deps: PointDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db, now, newId, withReadings } = deps;
    const writing = { permission: 'equipment.write' };
    const found = (trx: Db, actor: Actor, request: FastifyRequest, id: string) =>
      findPoint(trx, deps, actor.accountId, request, id);

    app.get(
      '/api/points/:id',
      {
        schema: { summary: 'Get a point', params: IdParams, response: { 200: PointDetail } },
        config: { permission: 'equipment.read' },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const point = await withActor(db, actor, (trx) => found(trx, actor, request, request.params.id));
        etag(reply, point.version);
        return point;
      },
    );

    app.post(
      '/api/equipment/:id/points',
      {
        schema: {
          summary: 'Add a point to a piece of equipment',
          params: IdParams,
          body: PointBody,
          response: { 201: PointDetail },
        },
        config: writing,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const { id: equipmentId } = request.params;
        const point = await withActor(db, actor, async (trx) => {
          const of = await things.lockEquipment(trx, accountId, equipmentId);
          if (!of) throw noSuch('equipment', equipmentId);
          const id = newId();
          await createPoint(trx, deps, accountId, { id, of, body: request.body });
          const after = { ...request.body };
          await noteChange(trx, now, actor, request, {
            action: 'point.created',
            id,
            after,
            details: { equipmentId },
          });
          return found(trx, actor, request, id);
        });
        etag(reply, point.version);
        return reply.code(201).send(point);
      },
    );

    app.put(
      '/api/points/:id',
      {
        schema: {
          summary: 'Change a point',
          params: IdParams,
          body: PointBody,
          response: { 200: PointDetail },
        },
        config: writing,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const version = ifMatch(request);
        const { id } = request.params;
        const point = await withActor(db, actor, async (trx) => {
          const before = await things.lockPoint(trx, actor.accountId, id);
          if (!before) throw noSuch('point', id);
          if (before.version !== version) throw staleEdit(await found(trx, actor, request, id));
          const change = await changePoint(trx, deps, actor.accountId, before, request.body);
          if (Object.keys(change.after).length > 0)
            await noteChange(trx, now, actor, request, { action: 'point.changed', id, ...change });
          return found(trx, actor, request, id);
        });
        etag(reply, point.version);
        return point;
      },
    );

    app.delete(
      '/api/points/:id',
      {
        schema: { summary: 'Remove a point', params: IdParams, response: { 200: Removed } },
        config: writing,
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const version = ifMatch(request);
        const { id } = request.params;
        return withActor(db, actor, async (trx) => {
          const before = await things.lockPoint(trx, accountId, id);
          if (!before) throw noSuch('point', id);
          if (before.version !== version) throw staleEdit(await found(trx, actor, request, id));
          const read = await withReadings(trx, accountId, [id]);
          // A point of the template would come back with the next seeding: it is retired, which seeding leaves alone.
          const isGone =
            read.size === 0 &&
            before.source !== null &&
            (await unlessNamed(trx, () =>
              trx.deleteFrom('point').where('accountId', '=', accountId).where('id', '=', id).execute(),
            ));
          if (!isGone) await things.retirePoint(trx, accountId, id, now());
          const removed = isGone ? ('deleted' as const) : ('retired' as const);
          const details = { key: before.key, equipmentId: before.equipmentId };
          await noteChange(trx, now, actor, request, { action: `point.${removed}`, id, details });
          return { removed };
        });
      },
    );
  };

async function findPoint(
  trx: Db,
  { templates }: PointDeps,
  accountId: string,
  { language }: Pick<FastifyRequest, 'language'>,
  id: string,
): Promise<PointDetail> {
  const model = await loadModel(trx, accountId, templates, { points: [id], retired: true });
  const point = model.points[0];
  if (!point) throw noSuch('point', id);
  return pointDetail(point, language);
}

interface Holder {
  readonly id: string;
  readonly template: string;
  readonly kind: string;
  readonly buildingId: string;
  readonly protocol: string;
}

/** @throws AppError 'bad_input' naming every field that does not fit. */
export async function createPoint(
  trx: Db,
  { templates }: Pick<PointDeps, 'templates'>,
  accountId: string,
  { id, of, body }: { readonly id: string; readonly of: Holder; readonly body: PointBody },
): Promise<void> {
  const template = templates.get(of.template)?.points.find(({ key }) => key === body.key);
  const { kind: deviceKind, buildingId, protocol, id: equipmentId } = of;
  const spaces = await things.spaces(trx, accountId);
  refuseFaults(ownPointFaults(body, { deviceKind, template, spaces, buildingId, fixed: undefined }));
  await trx
    .insertInto('point')
    .values({ id, accountId, equipmentId, protocol, ...pointColumns(body) })
    .execute()
    .catch((error: unknown) => refuseTaken(error, body.key));
}

type Before = NonNullable<Awaited<ReturnType<typeof things.lockPoint>>>;

/** @returns what changed. @throws AppError 'bad_input', or 'conflict' for a point that is retired. */
export async function changePoint(
  trx: Db,
  deps: PointDeps,
  accountId: string,
  before: Before,
  body: PointBody,
) {
  const { id, deviceKind, buildingId } = before;
  if (before.retiredAt)
    throw new AppError('conflict', 'the point is retired', { details: { why: 'retired' } });
  const isOwn = before.source !== null;
  const template = isOwn
    ? undefined
    : deps.templates.get(before.template)?.points.find(({ key }) => key === before.key);
  const read = await deps.withReadings(trx, accountId, [id]);
  const fixed = isOwn && read.size === 0 ? undefined : before;
  const spaces = await things.spaces(trx, accountId);
  refuseFaults(ownPointFaults(body, { deviceKind, template, spaces, buildingId, fixed }));
  const change = differences(before, body);
  if (Object.keys(change.after).length === 0) return change;
  await trx
    .updateTable('point')
    .set(pointColumns(body))
    .where('accountId', '=', accountId)
    .where('id', '=', id)
    .execute()
    .catch((error: unknown) => refuseTaken(error, body.key));
  return change;
}
