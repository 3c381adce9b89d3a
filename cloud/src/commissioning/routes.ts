import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  Commissioning,
  CommissioningBody,
  CommissioningQuery,
  IdParams,
  Page,
  WaiveBody,
} from '@parkline/contract';
import type { FastifyRequest } from 'fastify';
import { audit } from '../identity/index.ts';
import { type Actor, actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { files, sha256 } from '../platform/files.ts';
import type { NewId } from '../platform/ids.ts';
import { imageTypes, MAX_IMAGE_BYTES } from '../platform/images.ts';
import { takeUpload } from '../platform/uploads.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { checkMeter, keepRatio } from './check.ts';
import { multiplierOf } from './domain.ts';
import { moment, readWords } from './read-moment.ts';
import { reportRoutes } from './report-routes.ts';
import { type MeterRow, meters } from './repository.ts';
import { meterView } from './view.ts';

/** Multipliers are kept with 12 digits before their point. */
const MULTIPLIER_END = 1e12;

export interface CommissioningDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
}

/** Proof of every meter: recorded by who stands before it, judged by what telemetry says, signed by two. */
export const commissioningRoutes =
  (deps: CommissioningDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db } = deps;
    await app.register(photoRoutes(deps));
    await app.register(stepRoutes(deps));
    await app.register(reportRoutes(deps));

    app.get(
      '/api/commissioning',
      {
        schema: {
          summary: 'List the meters and what is proven of them',
          querystring: CommissioningQuery,
          response: { 200: Page(Commissioning) },
        },
        config: { permission: 'commissioning.read' },
      },
      async (request) => {
        const { gateway: gatewayId, state } = request.query;
        const rows = await withActor(db, actorOf(request), (trx) => meters.list(trx, { gatewayId }));
        const items = rows
          .map((row) => meterView(row, request.language))
          .filter((item) => state === undefined || item.state === state);
        return { items, next: null };
      },
    );

    app.get(
      '/api/commissioning/:id',
      {
        schema: {
          summary: 'Get what is proven of a meter',
          params: IdParams,
          response: { 200: Commissioning },
        },
        config: { permission: 'commissioning.read' },
      },
      async (request, reply) => {
        const row = await withActor(db, actorOf(request), (trx) => found(trx, request.params.id));
        etag(reply, row.version ?? 0);
        return meterView(row, request.language);
      },
    );

    app.put(
      '/api/commissioning/:id',
      {
        schema: {
          summary: 'Record what was read from a meter',
          params: IdParams,
          body: CommissioningBody,
          response: { 200: Commissioning },
        },
        config: { permission: 'commissioning.write' },
      },
      async (request, reply) => {
        const version = ifMatch(request);
        const actor = actorOf(request);
        const row = await withActor(db, actor, async (trx) => {
          const before = await locked(trx, actor, request.params.id);
          if ((before.version ?? 0) !== version) throw staleEdit(meterView(before, request.language));
          await record(trx, deps, actor, before, request);
          return found(trx, request.params.id);
        });
        etag(reply, row.version ?? 0);
        return meterView(row, request.language);
      },
    );
  };

async function record(
  trx: Db,
  deps: CommissioningDeps,
  { accountId, personId }: Actor,
  before: MeterRow,
  { body, ip }: Pick<FastifyRequest<{ Body: CommissioningBody }>, 'body' | 'ip'>,
): Promise<void> {
  const at = deps.now();
  const { serial, ctRatio = '1', ptRatio = '1', ratioApplied = 'telemetry', display, later = null } = body;
  for (const [field, ratio] of Object.entries({ ctRatio, ptRatio }))
    if (Number(ratio) <= 0) throw badField(`body.${field}`, readWords.ratio);
  const multiplier = multiplierOf({ ct: Number(ctRatio), pt: Number(ptRatio), applied: ratioApplied });
  if (!(multiplier > 0 && multiplier < MULTIPLIER_END)) throw badField('body.ctRatio', readWords.product);
  const readAt = moment('body.readAt', body.readAt, before.timezone, at);
  const laterReadAt = later && moment('body.later.readAt', later.readAt, before.timezone, at);
  if (laterReadAt && laterReadAt <= readAt) throw badField('body.later.readAt', readWords.order);
  const change = {
    ...{ serial: serial.trim(), ctRatio, ptRatio, ratioApplied, display, readAt },
    ...{ laterDisplay: later?.display ?? null, laterReadAt },
  };
  const { equipmentId } = before;
  await meters.set(
    trx,
    accountId,
    equipmentId,
    {
      ...{ ...change, pointId: before.pointId, recordedBy: personId, recordedAt: at, state: 'open' },
      ...{ waivedBy: null, waivedAt: null, waiveReason: null },
    },
    true,
  );
  await audit(trx, {
    ...{ accountId, at, personId, action: 'commissioning.recorded', subjectId: equipmentId, ip },
    before: plain(before),
    after: plain(change),
  });
  await checkMeter(trx, accountId, (await meters.find(trx, equipmentId))!, deps);
}

/** Only what the installer wrote. */
const plain = (row: Partial<MeterRow>) => ({
  ...{ serial: row.serial ?? null, ctRatio: row.ctRatio ?? null, ptRatio: row.ptRatio ?? null },
  ...{ ratioApplied: row.ratioApplied ?? null, display: row.display ?? null },
  readAt: row.readAt?.toISOString() ?? null,
  laterDisplay: row.laterDisplay ?? null,
  laterReadAt: row.laterReadAt?.toISOString() ?? null,
});

/** @throws AppError 'not_found' for what is no meter, or not in sight. */
export async function found(trx: Db, id: string): Promise<MeterRow> {
  const row = await meters.find(trx, id);
  if (!row) throw new AppError('not_found', 'no such meter', { details: { id } });
  return row;
}

async function locked(trx: Db, { accountId }: Actor, id: string): Promise<MeterRow> {
  const { pointId } = await found(trx, id);
  await meters.lock(trx, accountId, id, pointId);
  return found(trx, id);
}

const isEngineer = (roles: readonly string[]): boolean =>
  roles.some((role) => role === 'facility_engineer' || role === 'account_admin');

const stepRoutes =
  (deps: CommissioningDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/api/commissioning/:id/check',
      {
        schema: {
          summary: 'Judge a meter by what it sent since',
          params: IdParams,
          response: { 200: Commissioning },
        },
        config: { permission: 'commissioning.write' },
      },
      async (request) => {
        const actor = actorOf(request);
        const row = await withActor(deps.db, actor, async (trx) => {
          const before = await locked(trx, actor, request.params.id);
          await checkMeter(trx, actor.accountId, before, deps);
          return found(trx, request.params.id);
        });
        return meterView(row, request.language);
      },
    );
    app.post(
      '/api/commissioning/:id/waive',
      {
        schema: {
          summary: 'Let a meter pass without proof',
          params: IdParams,
          body: WaiveBody,
          response: { 200: Commissioning },
        },
        config: { permission: 'commissioning.write', fresh: true },
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId, personId, roles } = actor;
        const { id } = request.params;
        const row = await withActor(deps.db, actor, async (trx) => {
          await locked(trx, actor, id);
          if (!isEngineer(roles))
            throw new AppError('forbidden', 'an engineer waives', { details: { why: 'engineer' } });
          const at = deps.now();
          const waiveReason = request.body.reason.trim();
          const waived = { state: 'waived', waivedBy: personId, waivedAt: at, waiveReason } as const;
          await meters.set(trx, accountId, id, waived, true);
          await audit(trx, {
            ...{ accountId, at, personId, action: 'commissioning.waived', subjectId: id, ip: request.ip },
            details: { reason: waiveReason },
          });
          const row = await found(trx, id);
          await keepRatio(trx, accountId, row, deps);
          return row;
        });
        return meterView(row, request.language);
      },
    );
  };

const photoRoutes =
  ({ db, now, newId }: CommissioningDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    // Here only: everywhere else a body is JSON of at most 1 MiB.
    app.addContentTypeParser(
      [...imageTypes],
      { parseAs: 'buffer', bodyLimit: MAX_IMAGE_BYTES },
      (_request, body, done) => done(null, body),
    );
    app.post(
      '/api/commissioning/:id/photo',
      {
        schema: {
          summary: 'Keep a photo of a meter’s nameplate',
          operationId: 'setCommissioningPhoto',
          params: IdParams,
          response: { 201: Commissioning },
          description: 'Photo of the nameplate: PNG, JPEG or WebP; it is drawn anew.',
        },
        config: { permission: 'commissioning.write', takes: imageTypes },
        bodyLimit: MAX_IMAGE_BYTES,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { id } = request.params;
        const { body } = request;
        await withActor(db, actor, (trx) => found(trx, id));
        if (!Buffer.isBuffer(body)) throw new AppError('unsupported_media', 'no picture came');
        const { bytes, width = 0, height = 0 } = await takeUpload(body, { types: ['png', 'jpg', 'webp'] });
        const row = await withActor(db, actor, async (trx) => {
          await locked(trx, actor, id);
          const [at, fileId] = [now(), newId()];
          const file = { id: fileId, accountId, personId, createdAt: at, sourceSha256: sha256(body) };
          await files.add(trx, { ...file, image: { bytes, width, height } });
          await meters.set(trx, accountId, id, { photoId: fileId }, true);
          await audit(trx, {
            ...{ accountId, at, personId, action: 'commissioning.photo', subjectId: id, ip: request.ip },
          });
          return found(trx, id);
        });
        etag(reply, row.version ?? 0);
        return reply.code(201).send(meterView(row, request.language));
      },
    );
    app.get(
      '/api/commissioning/:id/photo',
      {
        schema: {
          summary: 'Get the photo of a meter’s nameplate',
          params: IdParams,
          description: 'The photo of the nameplate as WebP.',
        },
        config: { permission: 'commissioning.read', gives: ['image/webp'] },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { id } = request.params;
        const file = await withActor(db, actor, async (trx) => {
          const { photoId } = await found(trx, id);
          return photoId == null ? undefined : files.bytesOf(trx, actor.accountId, photoId);
        });
        if (!file) throw new AppError('not_found', 'no such photo', { details: { id } });
        return reply
          .type(file.mediaType)
          .header('content-disposition', 'inline; filename="nameplate.webp"')
          .header('cache-control', 'private, no-cache')
          .send(file.bytes);
      },
    );
  };
