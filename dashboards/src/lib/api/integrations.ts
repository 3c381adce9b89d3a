import type { NewApiKey, NewWebhook, ReplayBody, Webhook, WebhookChange } from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

/** Keys of programs, and other systems that are told what happens. */
export function createIntegrationsApi({ ask, list }: Caller) {
  return {
    apiKeys: (signal?: Signal) => list('listApiKeys', {}, { signal }),
    /** What the person who asks can give to a key. */
    apiKeyScopes: async (signal?: Signal) => (await ask('getApiKeyScopes', {}, { signal })).scopes,
    /** The key itself is in the answer, and nowhere again. */
    makeApiKey: (body: NewApiKey) => ask('createApiKey', { body }),
    revokeApiKey: (id: string) => ask('deleteApiKey', { path: { id } }),

    webhooks: (signal?: Signal) => list('listWebhooks', {}, { signal }),
    /** The secret is in the answer, and nowhere again. */
    makeWebhook: (body: NewWebhook) => ask('createWebhook', { body }),
    changeWebhook: ({ id, version }: Webhook, body: WebhookChange) =>
      ask('changeWebhook', { path: { id }, body }, { version }),
    deleteWebhook: ({ id, version }: Webhook) => ask('deleteWebhook', { path: { id } }, { version }),
    /** The new secret is in the answer, and nowhere again; the one before signs for a day more. */
    rotateWebhookSecret: (id: string) => ask('rotateSecretWebhook', { path: { id } }),
    testWebhook: (id: string) => ask('testWebhook', { path: { id } }),
    /** The newest deliveries first, one page. */
    deliveries: (id: string, query: { limit: number; after?: string }, signal?: Signal) =>
      ask('listWebhookDeliveries', { path: { id }, query }, { signal }),
    replayWebhook: (id: string, body: ReplayBody) => ask('replayWebhook', { path: { id }, body }),
  };
}
