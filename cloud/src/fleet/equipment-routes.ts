import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  EquipmentBody,
  EquipmentDetail,
  IdParams,
  KeptSecret,
  Removed,
  SecretBody,
  SecretParams,
} from '@parkline/contract';
import type { Template } from '@parkline/templates';
import type { FastifyRequest } from 'fastify';
import { type Actor, actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { sealedPlace } from '../platform/secrets.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { equipmentDetail } from './domain.ts';
import { equipment } from './repository.ts';
import { seedPoints } from './seed-points.ts';
import { differences, noteChange, refuseFaults, refuseTaken, type ThingDeps } from './thing-changes.ts';
import { equipmentFaults } from './thing-checks.ts';
import { equipmentColumns, things, unlessNamed } from './thing-repository.ts';
import { thingWords } from './thing-words.ts';

export const noSuch = (what: string, id: string): AppError =>
  new AppError('not_found', `no such ${what}`, { details: { id } });

/** Devices as people make, change and retire them. */
export const equipmentRoutes =
  (deps: ThingDeps & { readonly templates: ReadonlyMap<string, Template> }): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db, now, newId, secrets, withReadings, templates } = deps;
    const writing = { permission: 'equipment.write' };
    const found = async (trx: Db, { accountId }: Actor, { language }: FastifyRequest, id: string) => {
      const row = await equipment.detail(trx, accountId, id);
      if (!row) throw noSuch('equipment', id);
      return equipmentDetail(row, now(), language);
    };

    app.get(
      '/api/equipment/:id',
      {
        schema: { summary: 'Get a piece of equipment', params: IdParams, response: { 200: EquipmentDetail } },
        config: { permission: 'equipment.read' },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const thing = await withActor(db, actor, (trx) => found(trx, actor, request, request.params.id));
        etag(reply, thing.version);
        return thing;
      },
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
      async (request, reply) => {
        const actor = actorOf(request);
        const thing = await withActor(db, actor, async (trx) => {
          const id = newId();
          await createEquipment(trx, { ...deps, templates }, actor.accountId, id, request.body);
          const after = { ...request.body };
          await noteChange(trx, now, actor, request, { action: 'equipment.created', id, after });
          return found(trx, actor, request, id);
        });
        etag(reply, thing.version);
        return reply.code(201).send(thing);
      },
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
      async (request, reply) => {
        const actor = actorOf(request);
        const version = ifMatch(request);
        const { id } = request.params;
        const thing = await withActor(db, actor, async (trx) => {
          const before = await things.lockEquipment(trx, actor.accountId, id);
          if (!before) throw noSuch('equipment', id);
          if (before.version !== version) throw staleEdit(await found(trx, actor, request, id));
          const change = await changeEquipment(
            trx,
            { ...deps, templates },
            actor.accountId,
            before,
            request.body,
          );
          if (Object.keys(change.after).length > 0)
            await noteChange(trx, now, actor, request, { action: 'equipment.changed', id, ...change });
          return found(trx, actor, request, id);
        });
        etag(reply, thing.version);
        return thing;
      },
    );

    app.delete(
      '/api/equipment/:id',
      {
        schema: { summary: 'Remove a piece of equipment', params: IdParams, response: { 200: Removed } },
        config: writing,
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const version = ifMatch(request);
        const { id } = request.params;
        return withActor(db, actor, async (trx) => {
          const before = await things.lockEquipment(trx, accountId, id);
          if (!before) throw noSuch('equipment', id);
          if (before.version !== version) throw staleEdit(await found(trx, actor, request, id));
          const removed = await removeEquipment(trx, { now, withReadings }, accountId, id);
          const details = { key: before.key, template: before.template };
          await noteChange(trx, now, actor, request, { action: `equipment.${removed}`, id, details });
          return { removed };
        });
      },
    );

    app.put(
      '/api/equipment/:id/secrets/:name',
      {
        schema: {
          summary: 'Set a secret of a device, which is never shown again',
          params: SecretParams,
          body: SecretBody,
          response: { 200: KeptSecret },
        },
        config: { ...writing, ifMatch: 'none' },
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const { id, name } = request.params;
        const place = sealedPlace('equipment_secret', 'sealed_value', accountId, id, name);
        const setAt = now();
        await withActor(db, actor, async (trx) => {
          if (!(await things.lockEquipment(trx, accountId, id))) throw noSuch('equipment', id);
          const sealedValue = secrets.seal(request.body.value, place);
          await trx
            .insertInto('equipmentSecret')
            .values({ accountId, equipmentId: id, name, sealedValue, setAt })
            .onConflict((c) =>
              c.columns(['accountId', 'equipmentId', 'name']).doUpdateSet({ sealedValue, setAt }),
            )
            .execute();
          await noteChange(trx, now, actor, request, {
            action: 'equipment.secret_set',
            id,
            details: { name },
          });
        });
        return { name, setAt: setAt.toISOString() };
      },
    );

    app.delete(
      '/api/equipment/:id/secrets/:name',
      {
        schema: { summary: 'Forget a secret of a device', params: SecretParams },
        config: { ...writing, ifMatch: 'none' },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const { id, name } = request.params;
        await withActor(db, actor, async (trx) => {
          if (!(await things.lockEquipment(trx, accountId, id))) throw noSuch('equipment', id);
          await trx
            .deleteFrom('equipmentSecret')
            .where('accountId', '=', accountId)
            .where('equipmentId', '=', id)
            .where('name', '=', name)
            .execute();
          await noteChange(trx, now, actor, request, {
            action: 'equipment.secret_removed',
            id,
            details: { name },
          });
        });
        return reply.code(204).send();
      },
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
