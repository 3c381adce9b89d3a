import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';

/** A release of the gateways' program that lies in the cloud. */
export const Release = Type.Object({
  id: Uuid,
  version: Type.String(),
  platforms: Type.Array(Type.String()),
  /** SHA-256 of the signed manifest: what the release key's owner can compare. */
  manifestSha256: Type.String(),
  packBytes: Type.Integer(),
  madeAt: Instant,
  uploadedAt: Instant,
});
export type Release = Static<typeof Release>;

export const updateStates = [
  'waiting',
  'sent',
  'stopping',
  'applied',
  'kept',
  'rolled_back',
  'refused',
  'failed',
  'stopped',
  'overtaken',
] as const;
export const UpdateState = Type.Enum(updateStates);
export type UpdateState = Static<typeof UpdateState>;

/** What becomes of one gateway under a rollout. */
export const GatewayUpdate = Type.Object({
  rolloutId: Uuid,
  gatewayId: Uuid,
  gatewayKey: Type.String(),
  gatewayName: Type.String(),
  version: Type.String(),
  state: UpdateState,
  /** Why it ended so, as the gateway says; null: nothing to say. */
  why: Nullable(Type.String()),
  /** Part of the release that went out to it, 0 to 1. */
  sent: Type.Number({ minimum: 0, maximum: 1 }),
  changedAt: Instant,
});
export type GatewayUpdate = Static<typeof GatewayUpdate>;

/** To the gateways named, or to a share of all that are set up; always the same ones, so that a larger share includes a smaller one. */
export const RolloutBody = Type.Object({
  releaseId: Uuid,
  gatewayIds: Type.Optional(Type.Array(Uuid, { minItems: 1, maxItems: 1_000, uniqueItems: true })),
  share: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  /** The release file on a web server of the operator's own, https; through the message server when left out. */
  url: Type.Optional(Type.String({ pattern: '^https://', maxLength: 1_000 })),
});
export type RolloutBody = Static<typeof RolloutBody>;

export const Rollout = Type.Object({
  id: Uuid,
  releaseId: Uuid,
  version: Type.String(),
  state: Type.Union([Type.Literal('running'), Type.Literal('stopped')]),
  createdAt: Instant,
  stoppedAt: Nullable(Instant),
  gateways: Type.Array(GatewayUpdate),
});
export type Rollout = Static<typeof Rollout>;

/** The latest update of a gateway; null: it never had one. */
export const LatestUpdate = Type.Object({ update: Nullable(GatewayUpdate) });
export type LatestUpdate = Static<typeof LatestUpdate>;
