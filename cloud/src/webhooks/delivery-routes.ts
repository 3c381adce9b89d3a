import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Delivery, DeliveryQuery, IdParams, Page, ReplayBody, Replayed } from '@parkline/contract';
import { audit } from '../identity/index.ts';
import { actorOf } from '../platform/access.ts';
import { withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { bodyOf } from './sending.ts';
import { deliveryView } from './present.ts';
import { deliveries } from './repository.ts';
import { changing, deed, webhookConfig, webhookOf, type WebhookRouteDeps } from './routes.ts';

/** What was told to a subscription, a first word to try it, and all of it again. */
export const deliveryRoutes =
  ({ db, now, newId }: WebhookRouteDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/webhooks/:id/deliveries',
      {
        config: webhookConfig,
        schema: {
          summary: 'List what was delivered to a webhook, newest first',
          params: IdParams,
          querystring: DeliveryQuery,
          response: { 200: Page(Delivery) },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit } = request.query;
        const rows = await withActor(db, actor, async (trx) => {
          const { id } = await webhookOf(trx, actor, request.params.id);
          return deliveries.page(trx, id, { ...request.query, limit: limit + 1 });
        });
        const items = rows.slice(0, limit).map(deliveryView);
        return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
      },
    );

    app.post(
      '/api/webhooks/:id/test',
      {
        config: changing,
        schema: {
          params: IdParams,
          response: { 202: Delivery },
          summary: 'Send a test to a webhook',
          description: 'Sends an event of the kind `webhook.test`; how it went is in the deliveries.',
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const at = now();
        const row = await withActor(db, actor, async (trx) => {
          const { id: webhookId, accountId } = await webhookOf(trx, actor, request.params.id);
          const kind = 'webhook.test';
          const body = bodyOf(kind, at.toISOString(), { webhookId });
          const delivery = { id: newId(), accountId, webhookId, eventId: newId(), kind, body, createdAt: at };
          await deliveries.add(trx, delivery);
          await audit(trx, { ...deed(request, actor, webhookId, at), action: 'webhook.tested' });
          return (await deliveries.page(trx, webhookId, { limit: 1 }))[0]!;
        });
        return reply.code(202).send(deliveryView(row));
      },
    );

    app.post(
      '/api/webhooks/:id/replay',
      {
        config: changing,
        schema: {
          params: IdParams,
          body: ReplayBody,
          response: { 202: Replayed },
          summary: 'Deliver to a webhook again',
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { deliveryId, from, to } = request.body;
        if (deliveryId === undefined && (from === undefined || to === undefined)) throw wantsEither();
        const at = now();
        const count = await withActor(db, actor, async (trx) => {
          const { id } = await webhookOf(trx, actor, request.params.id);
          const timeOf = (text: string | undefined) => (text === undefined ? undefined : new Date(text));
          const span = { from: timeOf(from), to: timeOf(to) };
          const replayed = await deliveries.replay(trx, id, { deliveryId, ...span }, at);
          if (replayed === 0 && deliveryId !== undefined)
            throw new AppError('not_found', 'no such delivery', { details: { id: deliveryId } });
          const details = { ...request.body, deliveries: replayed };
          await audit(trx, { ...deed(request, actor, id, at), action: 'webhook.replayed', details });
          return replayed;
        });
        return reply.code(202).send({ deliveries: count });
      },
    );
  };

const wantsEither = (): AppError =>
  badField('body', {
    en: 'must name deliveryId, or from and to',
    zh: '须给出 deliveryId，或同时给出 from 与 to',
  });
