import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { EquipmentBody, EquipmentDetail, IdParams, Removed } from '@parkline/contract';
import type { Template } from '@parkline/templates';
import { actorOf } from '../platform/access.ts';
import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { equipmentDetail } from './domain.ts';
import { equipment } from './repository.ts';
import { seedPoints } from './seed-points.ts';
import {
  differences,
  refuseFaults,
  refuseTaken,
  tellEquipmentChanged,
  type ThingDeps,
} from './thing-changes.ts';
import { equipmentFaults } from './thing-checks.ts';
import { createThingEdits, noSuch } from './thing-edits.ts';
import { equipmentColumns, things, unlessNamed } from './thing-repository.ts';
import { secretRoutes } from './thing-secrets.ts';
import { thingWords } from './thing-words.ts';

/** Devices as people make, change and retire them. */
export const equipmentRoutes =
  (deps: ThingDeps & { readonly templates: ReadonlyMap<string, Template> }): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { now, newId } = deps;
    const writing = { permission: 'equipment.write' };
    const edits = createThingEdits(deps, {
      noun: 'equipment',
      lock: things.lockEquipment,
      async view(trx, accountId, id, language) {
        const row = await equipment.detail(trx, accountId, id);
        if (!row) throw noSuch('equipment', id);
        return equipmentDetail(row, now(), language);
      },
      tell: (trx, accountId) => tellEquipmentChanged(trx, accountId, { at: now(), newId }),
    });

    app.get(
      '/api/equipment/:id',
      {
        schema: { summary: 'Get a piece of equipment', params: IdParams, response: { 200: EquipmentDetail } },
        config: { permission: 'equipment.read' },
      },
      (request, reply) => edits.show(request, reply, request.params.id),
    );

    app.post(
      '/api/equipment',
      {
        schema: {
          summary: 'Add a piece of equipment',
          body: EquipmentBody,
          response: { 201: EquipmentDetail },
        },
        config: writing,
      },
      (request, reply) =>
        edits.add(request, reply, async (trx, accountId) => {
          const id = newId();
          await createEquipment(trx, deps, accountId, id, request.body);
          return { id, after: { ...request.body } };
        }),
    );

    app.put(
      '/api/equipment/:id',
      {
        schema: {
          summary: 'Change a piece of equipment',
          params: IdParams,
          body: EquipmentBody,
          response: { 200: EquipmentDetail },
        },
        config: writing,
      },
      (request, reply) =>
        edits.change(request, reply, request.params.id, (trx, before) =>
          changeEquipment(trx, deps, actorOf(request).accountId, before, request.body),
        ),
    );

    app.delete(
      '/api/equipment/:id',
      {
        schema: { summary: 'Remove a piece of equipment', params: IdParams, response: { 200: Removed } },
        config: writing,
      },
      (request) =>
        edits.remove(request, request.params.id, async (trx, { id, key, template }) => ({
          removed: await removeEquipment(trx, deps, actorOf(request).accountId, id),
          details: { key, template },
        })),
    );

    await app.register(
      secretRoutes(deps, {
        ...{ path: '/api/equipment', noun: 'equipment', one: 'a device' },
        isThere: async (trx, accountId, id) => (await things.lockEquipment(trx, accountId, id)) !== undefined,
      }),
    );
  };

type Making = Pick<ThingDeps, 'newId'> & { readonly templates: ReadonlyMap<string, Template> };

/** Makes a device with the points of its template. @throws AppError 'bad_input' naming every field that does not fit. */
export async function createEquipment(
  trx: Db,
  { newId, templates }: Making,
  accountId: string,
  id: string,
  body: EquipmentBody,
): Promise<void> {
  const template = templates.get(body.template);
  const around = await things.surrounding(trx, accountId);
  refuseFaults(equipmentFaults(body, undefined, { ...around, template }));
  await trx
    .insertInto('equipment')
    .values({ id, accountId, ...equipmentColumns(body, template!) })
    .execute()
    .catch((error: unknown) => refuseTaken(error, body.key));
  await things.serve(trx, accountId, id, body.serves, around.floors);
  await seedPoints(trx, { accountId, equipmentId: id }, { template: template!, poll: undefined }, newId);
}

type Before = NonNullable<Awaited<ReturnType<typeof things.lockEquipment>>>;

/** @returns what changed. @throws AppError 'bad_input', or 'conflict' for a device that is retired. */
async function changeEquipment(
  trx: Db,
  { newId, templates }: Making,
  accountId: string,
  before: Before,
  body: EquipmentBody,
) {
  const { id } = before;
  if (before.retiredAt)
    throw new AppError('conflict', 'the device is retired', { details: { why: 'retired' } });
  const template = templates.get(body.template);
  const around = await things.surrounding(trx, accountId, id);
  const faults = equipmentFaults(body, id, { ...around, template });
  if (template && (template.kind !== before.kind || template.protocol !== before.protocol))
    faults.push({ field: 'template', message: thingWords.otherKind(before.template) });
  refuseFaults(faults);
  const sorted = { ...body, serves: body.serves.toSorted() };
  const change = differences(before, sorted);
  if (Object.keys(change.after).length === 0) return change;
  await trx
    .updateTable('equipment')
    .set(equipmentColumns(body, template!))
    .where('accountId', '=', accountId)
    .where('id', '=', id)
    .execute()
    .catch((error: unknown) => refuseTaken(error, body.key));
  if ('serves' in change.after) {
    await things.serve(trx, accountId, id, body.serves, around.floors);
    // The row itself may be as it was: whoever has it open must learn of this, too.
    if (Object.keys(change.after).length === 1)
      await trx
        .updateTable('equipment')
        .set({ version: before.version + 1 })
        .where('id', '=', id)
        .execute();
  }
  if ('template' in change.after)
    await seedPoints(trx, { accountId, equipmentId: id }, { template: template!, poll: undefined }, newId);
  return change;
}

/** Deletes a device that nothing was ever heard of and nothing names; any other is retired. */
export async function removeEquipment(
  trx: Db,
  { now, withReadings }: Pick<ThingDeps, 'now' | 'withReadings'>,
  accountId: string,
  id: string,
): Promise<Removed['removed']> {
  const points = await things.pointIds(trx, accountId, id);
  const read = await withReadings(trx, accountId, points);
  const isGone =
    read.size === 0 &&
    (await unlessNamed(trx, async () => {
      await trx
        .deleteFrom('point')
        .where('accountId', '=', accountId)
        .where('equipmentId', '=', id)
        .execute();
      await trx.deleteFrom('equipment').where('accountId', '=', accountId).where('id', '=', id).execute();
    }));
  if (isGone) return 'deleted';
  await things.retireEquipment(trx, accountId, id, now());
  return 'retired';
}
