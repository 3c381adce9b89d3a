import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';

/** What other systems can be told of. `webhook.test` goes to whoever asks for it. */
export const eventKinds = [
  'fault.raised',
  'fault.cleared',
  'work_order.changed',
  'gateway.online',
  'gateway.offline',
  'lease.moved_in',
  'lease.moved_out',
  'person.invited',
] as const;
export const EventKind = Type.Enum(eventKinds);
export type EventKind = (typeof eventKinds)[number];

const kinds = Type.Array(EventKind, { minItems: 1, maxItems: eventKinds.length, uniqueItems: true });
const name = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' });
const url = Type.String({ minLength: 8, maxLength: 2_000, pattern: '^https?://' });

/** Why nothing is sent: somebody paused it, every attempt of days failed, or the receiver said 410. */
export const PauseWhy = Type.Enum(['person', 'failing', 'gone']);
export type PauseWhy = Static<typeof PauseWhy>;

/** A subscription, without its secret. */
export const Webhook = Type.Object({
  id: Uuid,
  name: Type.String(),
  url: Type.String(),
  kinds: Type.Array(Type.String()),
  version: Type.Integer(),
  createdAt: Instant,
  pausedAt: Nullable(Instant),
  pausedWhy: Nullable(PauseWhy),
  /** Since when every attempt has failed. */
  failingSince: Nullable(Instant),
  deliveredAt: Nullable(Instant),
  /** The secret was replaced: until then deliveries carry the signature of the one before as well. */
  formerSecretUntil: Nullable(Instant),
});
export type Webhook = Static<typeof Webhook>;

export const NewWebhook = Type.Object({ name, url, kinds });
export type NewWebhook = Static<typeof NewWebhook>;

/** The only time that the secret is told: `whsec_` and base64. */
export const MadeWebhook = Type.Object({ ...Webhook.properties, secret: Type.String() });
export type MadeWebhook = Static<typeof MadeWebhook>;

/** What is not named stays. `paused: false` lets what waits go. */
export const WebhookChange = Type.Object({
  name: Type.Optional(name),
  url: Type.Optional(url),
  kinds: Type.Optional(kinds),
  paused: Type.Optional(Type.Boolean()),
});
export type WebhookChange = Static<typeof WebhookChange>;

export const deliveryStates = ['waiting', 'delivered', 'failed'] as const;
export const DeliveryState = Type.Enum(deliveryStates);
export type DeliveryState = (typeof deliveryStates)[number];

/** One event for one subscription, and how it went. */
export const Delivery = Type.Object({
  id: Uuid,
  /** Sent as webhook-id: the same however often it is sent. */
  eventId: Uuid,
  kind: Type.String(),
  /** JSON as it is sent. */
  body: Type.String(),
  state: DeliveryState,
  createdAt: Instant,
  nextAt: Nullable(Instant),
  attempts: Type.Integer(),
  lastAt: Nullable(Instant),
  /** HTTP status; null when no answer came. */
  status: Nullable(Type.Integer()),
  /** The first 1,000 characters of what the receiver said. */
  reply: Nullable(Type.String()),
  /** Why there was no good answer. */
  error: Nullable(Type.String()),
});
export type Delivery = Static<typeof Delivery>;

export const DeliveryQuery = Type.Object({
  state: Type.Optional(DeliveryState),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
  after: Type.Optional(Uuid),
});
export type DeliveryQuery = Static<typeof DeliveryQuery>;

/** One delivery, or all of a span of time (`from` inclusive, `to` exclusive, by when they happened). */
export const ReplayBody = Type.Object({
  deliveryId: Type.Optional(Uuid),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
});
export type ReplayBody = Static<typeof ReplayBody>;

/** How many are sent again. */
export const Replayed = Type.Object({ deliveries: Type.Integer() });
export type Replayed = Static<typeof Replayed>;
