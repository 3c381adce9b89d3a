import type { Delivery, Webhook } from '@parkline/contract';
import type { DeliveryRow, WebhookRow } from './repository.ts';

const instant = (at: Date | null): string | null => at?.toISOString() ?? null;

export const webhookView = (row: WebhookRow): Webhook => ({
  ...{ id: row.id, name: row.name, url: row.url, kinds: row.kinds, version: row.version },
  createdAt: row.createdAt.toISOString(),
  pausedAt: instant(row.pausedAt),
  pausedWhy: row.pausedWhy,
  failingSince: instant(row.failingSince),
  deliveredAt: instant(row.deliveredAt),
  formerSecretUntil: instant(row.formerUntil),
});

export const deliveryView = (row: DeliveryRow): Delivery => ({
  ...{ id: row.id, eventId: row.eventId, kind: row.kind, body: row.body, state: row.state },
  ...{ attempts: row.attempts, status: row.status, reply: row.reply, error: row.error },
  createdAt: row.createdAt.toISOString(),
  nextAt: instant(row.nextAt),
  lastAt: instant(row.lastAt),
});
