import './tables.ts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { FloorPlan, FloorPlanMade, IdParams, Page, PlanMarks } from '@parkline/contract';
import Type from 'typebox';
import { actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, type FieldFault } from '../platform/errors.ts';
import { sha256 } from '../platform/files.ts';
import { fileHeaders, MAX_UPLOAD_BYTES, takeUpload, uploadTypes } from '../platform/uploads.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { differences, noteChange, refuseFaults, type ThingDeps } from './thing-changes.ts';
import { noSuch } from './thing-edits.ts';

/** Longest side of a plan that came as a picture. */
const MAX_PLAN_SIDE = 4_000;
const planTypes = ['svg', 'png', 'jpg', 'webp'] as const;
const ImageQuery = Type.Object({ v: Type.Optional(Type.String({ maxLength: 64 })) });

/** Plans of floors: a picture, with spaces and devices on it. */
export const planRoutes =
  ({ db, now }: ThingDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const reading = { permission: 'equipment.read' };
    const writing = { permission: 'equipment.write' };

    app.get(
      '/api/floor-plans',
      {
        schema: { summary: 'List the floors that have a plan', response: { 200: Page(FloorPlanMade) } },
        config: reading,
      },
      async (request) => {
        const actor = actorOf(request);
        const rows = await withActor(db, actor, (trx) =>
          trx
            .selectFrom('floorPlan')
            .select(['floorId', 'version', 'changedAt'])
            .where('accountId', '=', actor.accountId)
            .orderBy('floorId')
            .execute(),
        );
        const items = rows.map(({ changedAt, ...row }) => ({ ...row, changedAt: changedAt.toISOString() }));
        return { items, next: null };
      },
    );

    app.get(
      '/api/floors/:id/plan',
      {
        schema: {
          summary: 'Get the plan of a floor with what is placed on it',
          params: IdParams,
          response: { 200: FloorPlan },
        },
        config: reading,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const plan = await withActor(db, actor, (trx) => planOf(trx, actor.accountId, id));
        if (!plan) throw noSuch('plan', id);
        etag(reply, plan.version);
        return planView(plan);
      },
    );

    app.get(
      '/api/floors/:id/plan/image',
      {
        schema: {
          summary: 'Get the picture of a floor’s plan',
          params: IdParams,
          querystring: ImageQuery,
          description: 'The picture of a plan: WebP or SVG.',
        },
        config: { ...reading, gives: ['image/webp', 'image/svg+xml'] },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const image = await withActor(db, actor, (trx) =>
          trx
            .selectFrom('floorPlan')
            .select(['mediaType', 'bytes'])
            .where('accountId', '=', actor.accountId)
            .where('floorId', '=', id)
            .executeTakeFirst(),
        );
        if (!image) throw noSuch('plan', id);
        return reply
          .headers(fileHeaders(image.mediaType === 'image/webp' ? 'plan.webp' : 'plan.svg'))
          .header('cache-control', 'private, max-age=86400, immutable')
          .type(image.mediaType)
          .send(image.bytes);
      },
    );

    app.put(
      '/api/floors/:id/plan',
      {
        schema: {
          summary: 'Place spaces and devices on the plan of a floor',
          params: IdParams,
          body: PlanMarks,
          response: { 200: FloorPlan },
        },
        config: writing,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const version = ifMatch(request);
        const { id } = request.params;
        const plan = await withActor(db, actor, async (trx) => {
          const before = await planOf(trx, accountId, id, true);
          if (!before) throw noSuch('plan', id);
          if (before.version !== version) throw staleEdit(planView(before));
          refuseFaults(await marksFaults(trx, accountId, id, request.body));
          await trx
            .updateTable('floorPlan')
            .set({ marks: request.body, changedAt: now(), changedBy: personId })
            .where('accountId', '=', accountId)
            .where('floorId', '=', id)
            .execute();
          const change = differences(before.marks, request.body);
          await noteChange(trx, now, actor, request, { action: 'plan.changed', id, ...change });
          return (await planOf(trx, accountId, id))!;
        });
        etag(reply, plan.version);
        return planView(plan);
      },
    );

    app.delete(
      '/api/floors/:id/plan',
      { schema: { summary: 'Remove the plan of a floor', params: IdParams }, config: writing },
      async (request, reply) => {
        const actor = actorOf(request);
        const version = ifMatch(request);
        const { id } = request.params;
        await withActor(db, actor, async (trx) => {
          const before = await planOf(trx, actor.accountId, id, true);
          if (!before) throw noSuch('plan', id);
          if (before.version !== version) throw staleEdit(planView(before));
          await trx
            .deleteFrom('floorPlan')
            .where('accountId', '=', actor.accountId)
            .where('floorId', '=', id)
            .execute();
          await noteChange(trx, now, actor, request, { action: 'plan.deleted', id });
        });
        return reply.code(204).send();
      },
    );

    await app.register(imageRoute({ db, now }));
  };

const imageRoute =
  ({ db, now }: Pick<ThingDeps, 'db' | 'now'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    // What a file is shows in its bytes: whatever it is called, it comes in as bytes.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: MAX_UPLOAD_BYTES },
      (_request, body, done) => done(null, body),
    );
    app.put(
      '/api/floors/:id/plan/image',
      {
        schema: {
          summary: 'Set the picture of a floor’s plan',
          params: IdParams,
          response: { 200: FloorPlan },
        },
        config: {
          permission: 'equipment.write',
          takes: planTypes.map((type) => uploadTypes[type]),
          ifMatch: 'optional',
        },
        bodyLimit: MAX_UPLOAD_BYTES,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { id: floorId } = request.params;
        // Before the picture is opened: what would not be taken costs us nothing.
        const before = await withActor(db, actor, async (trx) => {
          if (!(await floorExists(trx, accountId, floorId))) throw noSuch('floor', floorId);
          return planOf(trx, accountId, floorId);
        });
        const version = before ? ifMatch(request) : undefined;
        if (before && before.version !== version) throw staleEdit(planView(before));
        if (!Buffer.isBuffer(request.body)) throw new AppError('unsupported_media', 'no picture came');
        const {
          bytes,
          mediaType,
          width = 0,
          height = 0,
        } = await takeUpload(request.body, {
          types: planTypes,
          maxSide: MAX_PLAN_SIDE,
        });
        const picture = {
          ...{ bytes, sha256: sha256(bytes), mediaType: mediaType as 'image/webp' | 'image/svg+xml' },
          ...proportion(width, height),
          ...{ changedAt: now(), changedBy: personId },
        };
        const plan = await withActor(db, actor, async (trx) => {
          // Again: somebody may have put one there meanwhile.
          const current = await planOf(trx, accountId, floorId, true);
          if (current?.version !== version) throw staleEdit(current && planView(current));
          const marks = current?.marks ?? { spaces: [], devices: [] };
          await trx
            .insertInto('floorPlan')
            .values({ floorId, accountId, ...picture, marks })
            .onConflict((c) => c.column('floorId').doUpdateSet(picture))
            .execute();
          const details = { sha256: picture.sha256.toString('hex'), mediaType };
          await noteChange(trx, now, actor, request, { action: 'plan.picture_set', id: floorId, details });
          return (await planOf(trx, accountId, floorId))!;
        });
        etag(reply, plan.version);
        return planView(plan);
      },
    );
  };

/** Whole numbers in the proportion of the picture: a drawing may be 3.2 wide. Pure. */
function proportion(width: number, height: number): { width: number; height: number } {
  const factor = Math.max(1, Math.min(1_000 / Math.min(width, height), 100_000 / Math.max(width, height)));
  const whole = (side: number) => Math.min(100_000, Math.max(1, Math.round(side * factor)));
  return Number.isInteger(width) && Number.isInteger(height) && Math.max(width, height) <= 100_000
    ? { width, height }
    : { width: whole(width), height: whole(height) };
}

type PlanRow = NonNullable<Awaited<ReturnType<typeof planOf>>>;

const planOf = (db: Db, accountId: string, floorId: string, locks = false) =>
  db
    .selectFrom('floorPlan')
    .select(['floorId', 'width', 'height', 'sha256', 'marks', 'version', 'changedAt'])
    .where('accountId', '=', accountId)
    .where('floorId', '=', floorId)
    .$if(locks, (q) => q.forUpdate())
    .executeTakeFirst();

const planView = ({ sha256: hash, changedAt, ...plan }: PlanRow): FloorPlan => ({
  ...plan,
  image: `/api/floors/${plan.floorId}/plan/image?v=${hash.toString('hex').slice(0, 16)}`,
  changedAt: changedAt.toISOString(),
});

async function floorExists(db: Db, accountId: string, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('floor')
    .select('id')
    .where('accountId', '=', accountId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row !== undefined;
}

const planWords = {
  noSpace: { en: 'is no space of the floor', zh: '不是该楼层的空间' },
  noDevice: { en: 'is no device of the building', zh: '不是该楼宇的设备' },
  twice: { en: 'is on the plan already', zh: '已在平面图上' },
};

/** Spaces and devices that are not of this floor, or stand there twice. */
async function marksFaults(
  db: Db,
  accountId: string,
  floorId: string,
  marks: PlanMarks,
): Promise<FieldFault[]> {
  const spaces = await db
    .selectFrom('space')
    .select('id')
    .where('accountId', '=', accountId)
    .where('floorId', '=', floorId)
    .execute();
  const devices = await db
    .selectFrom('equipment')
    .innerJoin('floor', 'floor.buildingId', 'equipment.buildingId')
    .select('equipment.id')
    .where('equipment.accountId', '=', accountId)
    .where('floor.id', '=', floorId)
    .execute();
  const own = new Set([...spaces, ...devices].map(({ id }) => id));
  const seen = new Set<string>();
  const named = [
    ...marks.spaces.map(({ spaceId }, i) => ({
      id: spaceId,
      field: `spaces.${i}.spaceId`,
      missing: planWords.noSpace,
    })),
    ...marks.devices.map(({ equipmentId }, i) => ({
      ...{ id: equipmentId, field: `devices.${i}.equipmentId`, missing: planWords.noDevice },
    })),
  ];
  return named.flatMap(({ id, field, missing }) => {
    const message = !own.has(id) ? missing : seen.has(id) ? planWords.twice : undefined;
    seen.add(id);
    return message === undefined ? [] : [{ field, message }];
  });
}
