import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IdParams, MadeWebhook, NewWebhook, Page, Webhook, WebhookChange, Uuid } from '@parkline/contract';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { audit } from '../identity/index.ts';
import { type Actor, actorOf } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import type { NewId } from '../platform/ids.ts';
import type { Secrets } from '../platform/secrets.ts';
import { etag, ifMatch, staleEdit } from '../platform/versions.ts';
import { secretPlace } from './sending.ts';
import { deliveryRoutes } from './delivery-routes.ts';
import { urlFault } from '../platform/outbound.ts';
import { webhookView } from './present.ts';
import { type WebhookRow, webhooks, type WebhookSetting } from './repository.ts';
import { secretRoutes } from './secret-routes.ts';
import { newSecret } from './sign.ts';

export interface WebhookRouteDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  readonly secrets: Secrets;
  /** For development: receivers on this machine or network, and plain http. */
  readonly allowPrivate: boolean;
}

const WebhookQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  after: Type.Optional(Uuid),
});

/** Subscriptions of one account. */
const MOST = 100;

export const webhookConfig = { permission: 'webhook.write' };
export const changing = { ...webhookConfig, fresh: true };

/** Subscriptions of other systems to what happens. */
export const webhookRoutes =
  (deps: WebhookRouteDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { db } = deps;
    app.get(
      '/api/webhooks',
      {
        config: webhookConfig,
        schema: { summary: 'List the webhooks', querystring: WebhookQuery, response: { 200: Page(Webhook) } },
      },
      async (request) => {
        const actor = actorOf(request);
        const { limit, after } = request.query;
        const rows = await withActor(db, actor, (trx) =>
          webhooks.page(trx, actor.accountId, { limit: limit + 1, after }),
        );
        const items = rows.slice(0, limit).map(webhookView);
        return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
      },
    );

    app.get(
      '/api/webhooks/:id',
      {
        config: webhookConfig,
        schema: { summary: 'Get a webhook', params: IdParams, response: { 200: Webhook } },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const row = await withActor(db, actor, (trx) => webhookOf(trx, actor, request.params.id));
        etag(reply, row.version);
        return webhookView(row);
      },
    );
    await app.register(makingRoutes(deps));
    await app.register(editingRoutes(deps));
    await app.register(secretRoutes(deps));
    await app.register(deliveryRoutes(deps));
  };

const makingRoutes =
  ({ db, now, newId, secrets, allowPrivate }: WebhookRouteDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/api/webhooks',
      {
        config: { ...changing, once: true },
        schema: {
          summary: 'Make a webhook; the answer holds its secret, once',
          body: NewWebhook,
          response: { 201: MadeWebhook },
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        checkUrl(request.body.url, allowPrivate);
        const [id, at, secret] = [newId(), now(), newSecret()];
        const sealedSecret = secrets.seal(secret, secretPlace(id));
        const row = await withActor(db, actor, async (trx) => {
          if ((await webhooks.count(trx, accountId)) >= MOST)
            throw new AppError('conflict', 'too many webhooks', { details: { why: 'too_many', most: MOST } });
          await webhooks.add(trx, { id, accountId, ...request.body, sealedSecret, createdAt: at });
          const after = shown(request.body);
          await audit(trx, { ...deed(request, actor, id, at), action: 'webhook.made', after });
          return webhookOf(trx, actor, id);
        });
        return reply.code(201).send({ ...webhookView(row), secret });
      },
    );
  };

const editingRoutes =
  ({ db, now, allowPrivate }: WebhookRouteDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.patch(
      '/api/webhooks/:id',
      {
        config: changing,
        schema: {
          summary: 'Change a webhook',
          params: IdParams,
          body: WebhookChange,
          response: { 200: Webhook },
        },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const version = ifMatch(request);
        const { url } = request.body;
        if (url !== undefined) checkUrl(url, allowPrivate);
        const at = now();
        const row = await withActor(db, actor, async (trx) => {
          const before = await webhookOf(trx, actor, request.params.id);
          if (!(await webhooks.change(trx, before, version, settingOf(request.body, before, at))))
            throw staleEdit(webhookView(before));
          const after = shown(request.body);
          const was = Object.fromEntries(Object.keys(after).map((key) => [key, shown(before)[key] ?? null]));
          const action = 'webhook.changed';
          await audit(trx, { ...deed(request, actor, before.id, at), action, before: was, after });
          return webhookOf(trx, actor, before.id);
        });
        etag(reply, row.version);
        return webhookView(row);
      },
    );

    app.delete(
      '/api/webhooks/:id',
      {
        config: changing,
        schema: { summary: 'Delete a webhook', params: IdParams, response: { 204: Type.Null() } },
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const version = ifMatch(request);
        await withActor(db, actor, async (trx) => {
          const before = await webhookOf(trx, actor, request.params.id);
          if (!(await webhooks.remove(trx, actor.accountId, before.id, version)))
            throw staleEdit(webhookView(before));
          const entry = deed(request, actor, before.id, now());
          await audit(trx, { ...entry, action: 'webhook.deleted', before: shown(before) });
        });
        return reply.code(204).send(null);
      },
    );
  };

/** @throws AppError 'not_found'. */
export async function webhookOf(
  trx: Db,
  { accountId }: Actor,
  id: string,
  find = webhooks.find,
): Promise<WebhookRow> {
  const row = await find(trx, accountId, id);
  if (!row) throw new AppError('not_found', 'no such webhook', { details: { id } });
  return row;
}

export const deed = (request: FastifyRequest, { accountId, personId }: Actor, id: string, at: Date) => ({
  ...{ accountId, personId, subjectId: id, at, ip: request.ip },
});

function checkUrl(url: string, allowPrivate: boolean): void {
  const fault = urlFault(url, allowPrivate);
  if (fault) throw badField('body.url', fault);
}

/** What of a subscription an audit names. */
const shown = (values: Partial<WebhookRow> & { paused?: boolean | undefined }): Record<string, unknown> => {
  const { name, url, kinds, paused = 'pausedAt' in values ? values.pausedAt !== null : undefined } = values;
  return Object.fromEntries(
    Object.entries({ name, url, kinds, paused }).filter(([, value]) => value !== undefined),
  );
};

/** A receiver that is let go on, or gets another address, starts without its past. */
function settingOf(change: WebhookChange, before: WebhookRow, at: Date): WebhookSetting {
  const { paused, name, url, kinds } = change;
  const isPaused = before.pausedAt !== null;
  return {
    ...(name !== undefined && { name }),
    ...(url !== undefined && { url, failingSince: null }),
    ...(kinds !== undefined && { kinds }),
    ...(paused === true && !isPaused && { pausedAt: at, pausedWhy: 'person' as const }),
    ...(paused === false && { pausedAt: null, pausedWhy: null, failingSince: null }),
  };
}
