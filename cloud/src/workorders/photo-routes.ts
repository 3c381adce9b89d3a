import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IdParams, OrderPhoto, type PhotoKind, PhotoQuery, Uuid } from '@parkline/contract';
import Type from 'typebox';
import { type Actor, actorOf } from '../platform/access.ts';
import { notifyChanged } from '../platform/changes.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { files, sha256 } from '../platform/files.ts';
import { cleanImage, imageTypes, MAX_IMAGE_BYTES } from '../platform/images.ts';
import { photoRefusal } from './domain.ts';
import { workOrders } from './repository.ts';
import type { WorkOrderDeps } from './routes.ts';
import { seen } from './sight.ts';

/** Photos of one order; a phone takes a few, never hundreds. */
const MAX_PHOTOS = 20;

const PhotoParams = Type.Object({ id: Uuid, photoId: Uuid });

/** Photos of before and after: sent raw, drawn anew, kept with the order. */
export const photoRoutes =
  ({ db, now, newId }: WorkOrderDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    // Here only: everywhere else a body is JSON of at most 1 MiB.
    app.addContentTypeParser(
      [...imageTypes],
      { parseAs: 'buffer', bodyLimit: MAX_IMAGE_BYTES },
      (_request, body, done) => done(null, body),
    );

    app.post(
      '/api/work-orders/:id/photos',
      {
        schema: {
          summary: 'Add a photo to a work order',
          params: IdParams,
          querystring: PhotoQuery,
          response: { 201: OrderPhoto },
        },
        config: { permission: 'workorder.work', takes: imageTypes },
        bodyLimit: MAX_IMAGE_BYTES,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId, personId } = actor;
        const { id: orderId } = request.params;
        const { kind } = request.query;
        await withActor(db, actor, (trx) => seen(trx, actor, orderId));
        const { body } = request;
        if (!Buffer.isBuffer(body)) throw new AppError('unsupported_media', 'no picture came');
        const sent = { orderId, kind, sourceSha256: sha256(body) };
        // Before the picture is opened: what would not be taken costs us nothing.
        const known = await withActor(db, actor, (trx) => sameOrMayAdd(trx, actor, sent));
        if (known) return reply.code(201).send(photoView(known));
        const result = await cleanImage(body);
        if (!result.ok) throw refused(result.why);

        const photo = await withActor(db, actor, async (trx) => {
          // Again: the order may have gone on meanwhile.
          const same = await sameOrMayAdd(trx, actor, sent);
          if (same) return same;
          const at = now();
          const fileId = newId();
          const { image } = result;
          const { sourceSha256 } = sent;
          await files.add(trx, { id: fileId, accountId, personId, createdAt: at, sourceSha256, image });
          await workOrders.addPhoto(trx, { accountId, ...sent, fileId, at });
          const event = { what: 'photo_added', facts: { kind } } as const;
          await workOrders.note(trx, { accountId, id: orderId }, { ...event, at, personId });
          await notifyChanged(trx, accountId, 'work-orders');
          return { fileId, kind, at };
        });
        return reply.code(201).send(photoView(photo));
      },
    );

    app.get(
      '/api/work-orders/:id/photos/:photoId',
      {
        schema: {
          summary: 'Get a photo of a work order',
          params: PhotoParams,
          description: 'The photo as WebP.',
        },
        config: { permission: 'workorder.read', gives: ['image/webp'] },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { id, photoId } = request.params;
        const file = await withActor(db, actor, async (trx) => {
          await seen(trx, actor, id);
          const photo = await workOrders.photo(trx, actor.accountId, id, photoId);
          return photo && files.bytesOf(trx, actor.accountId, photo.fileId);
        });
        if (!file) throw new AppError('not_found', 'no such photo', { details: { id: photoId } });
        return reply
          .type(file.mediaType)
          .header('content-disposition', 'inline; filename="photo.webp"')
          .header('cache-control', 'private, max-age=86400, immutable')
          .send(file.bytes);
      },
    );
  };

interface SentPhoto {
  readonly orderId: string;
  readonly kind: PhotoKind;
  readonly sourceSha256: Buffer;
}

/**
 * Locks the order. @returns the photo if the very same was sent before. @throws AppError 'conflict' when the order takes no
 * photo of this person.
 */
async function sameOrMayAdd(
  trx: Db,
  { accountId, personId }: Actor,
  { orderId, kind, sourceSha256 }: SentPhoto,
) {
  const order = (await workOrders.lock(trx, accountId, orderId))!;
  const taken = await workOrders.photos(trx, accountId, orderId);
  const same = taken.find((one) => one.kind === kind && one.sourceSha256.equals(sourceSha256));
  if (same) return same;
  const why = photoRefusal(order, personId) ?? (taken.length >= MAX_PHOTOS && 'too_many_photos');
  if (why) throw new AppError('conflict', `order takes no photo: ${why}`, { details: { why } });
  return undefined;
}

const photoView = ({ fileId, kind, at }: { fileId: string; kind: PhotoKind; at: Date }): OrderPhoto => ({
  ...{ id: fileId, kind, at: at.toISOString() },
});

const refused = (why: 'type' | 'too_many_pixels' | 'unreadable'): AppError =>
  why === 'too_many_pixels'
    ? new AppError('too_large', 'picture has too many pixels', { details: { why } })
    : new AppError('unsupported_media', `picture refused: ${why}`, { details: { why } });
