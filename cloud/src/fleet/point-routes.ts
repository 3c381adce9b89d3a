import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IdParams, type Language, PointBody, PointDetail, Removed } from '@parkline/contract';
import type { Template } from '@parkline/templates';
import { actorOf } from '../platform/access.ts';
import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { loadModel, pointDetail } from './model.ts';
import { differences, refuseFaults, refuseTaken, type ThingDeps } from './thing-changes.ts';
import { ownPointFaults } from './thing-checks.ts';
import { createThingEdits, noSuch } from './thing-edits.ts';
import { pointColumns, things, unlessNamed } from './thing-repository.ts';

type PointDeps = ThingDeps & { readonly templates: ReadonlyMap<string, Template> };

/** Points as people make, change and retire them; their values are telemetry's. */
export const pointRoutes =
  (deps: PointDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const writing = { permission: 'equipment.write' };
    const edits = createThingEdits(deps, {
      noun: 'point',
      lock: things.lockPoint,
      view: (trx, accountId, id, language) => findPoint(trx, deps, accountId, { id, language }),
    });

    app.get(
      '/api/points/:id',
      {
        schema: { summary: 'Get a point', params: IdParams, response: { 200: PointDetail } },
        config: { permission: 'equipment.read' },
      },
      (request, reply) => edits.show(request, reply, request.params.id),
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
      (request, reply) =>
        edits.add(request, reply, async (trx, accountId) => {
          const { id: equipmentId } = request.params;
          const of = await things.lockEquipment(trx, accountId, equipmentId);
          if (!of) throw noSuch('equipment', equipmentId);
          const id = deps.newId();
          await createPoint(trx, deps, accountId, { id, of, body: request.body });
          return { id, after: { ...request.body }, details: { equipmentId } };
        }),
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
      (request, reply) =>
        edits.change(request, reply, request.params.id, (trx, before) =>
          changePoint(trx, deps, actorOf(request).accountId, before, request.body),
        ),
    );

    app.delete(
      '/api/points/:id',
      {
        schema: { summary: 'Remove a point', params: IdParams, response: { 200: Removed } },
        config: writing,
      },
      (request) =>
        edits.remove(request, request.params.id, async (trx, before) => ({
          removed: await removePoint(trx, deps, actorOf(request).accountId, before),
          details: { key: before.key, equipmentId: before.equipmentId },
        })),
    );
  };

async function findPoint(
  trx: Db,
  { templates }: PointDeps,
  accountId: string,
  { id, language }: { readonly id: string; readonly language: Language },
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

/** Deletes a point of nobody's template that nothing was ever heard of and nothing names; any other is retired. */
async function removePoint(
  trx: Db,
  { now, withReadings }: PointDeps,
  accountId: string,
  { id, source }: Pick<Before, 'id' | 'source'>,
): Promise<Removed['removed']> {
  const read = await withReadings(trx, accountId, [id]);
  // A point of the template would come back with the next seeding: it is retired, which seeding leaves alone.
  const isGone =
    read.size === 0 &&
    source !== null &&
    (await unlessNamed(trx, () =>
      trx.deleteFrom('point').where('accountId', '=', accountId).where('id', '=', id).execute(),
    ));
  if (isGone) return 'deleted';
  await things.retirePoint(trx, accountId, id, now());
  return 'retired';
}
