import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IdParams, MadeWebhook } from '@parkline/contract';
import { audit } from '../identity/index.ts';
import { actorOf } from '../platform/access.ts';
import { withActor } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { webhookView } from './present.ts';
import { webhooks } from './repository.ts';
import { changing, deed, type WebhookRouteDeps, webhookOf } from './routes.ts';
import { formerPlace, secretPlace } from './sending.ts';
import { newSecret } from './sign.ts';

/** How long the secret before signs as well. */
const OVERLAP_MS = 86_400_000;
/** Each adds a signature to every delivery. */
const MOST_FORMER = 4;

/** A new secret for a subscription, without a gap: for a day both sign (Standard Webhooks 1.0, "Secret rotation"). */
export function secretRoutes(deps: WebhookRouteDeps): FastifyPluginAsyncTypebox {
  const { db, now, newId, secrets } = deps;
  return (app) => {
    app.post(
      '/api/webhooks/:id/rotate-secret',
      {
        config: { ...changing, once: true },
        schema: {
          summary: 'Give a webhook another secret; the answer holds it, once',
          params: IdParams,
          response: { 200: MadeWebhook },
        },
      },
      async (request) => {
        const actor = actorOf(request);
        const { accountId } = actor;
        const { id } = request.params;
        const [at, secret, formerId] = [now(), newSecret(), newId()];
        const row = await withActor(db, actor, async (trx) => {
          const before = await webhookOf(trx, actor, id, webhooks.lock);
          if ((await webhooks.countFormer(trx, accountId, id, at)) >= MOST_FORMER)
            throw new AppError('conflict', 'replaced too often', { details: { why: 'too_many' } });
          const old = secrets.open(before.sealedSecret, secretPlace(id));
          await webhooks.replaceSecret(trx, before, secrets.seal(secret, secretPlace(id)), {
            ...{ id: formerId, sealedSecret: secrets.seal(old, formerPlace(formerId)) },
            validUntil: new Date(at.getTime() + OVERLAP_MS),
          });
          await audit(trx, { ...deed(request, actor, id, at), action: 'webhook.secret_rotated' });
          return webhookOf(trx, actor, id);
        });
        return { ...webhookView(row), secret };
      },
    );
    return Promise.resolve();
  };
}
