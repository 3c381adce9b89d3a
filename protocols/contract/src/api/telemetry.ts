import { type Static, Type } from 'typebox';
import { PointKind, Quality } from '../units.ts';
import { GatewayEvent } from '../wire/events.ts';
import { WriteLimits } from '../write-limits.ts';
import { Instant, Nullable, Uuid } from './common.ts';

/** A point with its latest value. Registers come in engineering units (counts x resolution). */
export const Point = Type.Object({
  id: Uuid,
  name: Type.String(),
  unit: Type.String(),
  protocol: Type.String(),
  value: Nullable(Type.Number()),
  at: Nullable(Instant),
  quality: Nullable(Quality),
  equipmentId: Uuid,
  /** Template key, e.g. 'active_power_total', 'active_energy_import'. */
  key: Type.String(),
  kind: PointKind,
  /** Decimals worth showing. */
  decimals: Type.Integer({ minimum: 0, maximum: 6 }),
  /** ms after which a silent point is stale, and a hole in its history is a gap. */
  staleAfterMs: Type.Integer(),
  /** Of a state point: what its whole numbers mean, in the reader's language: {"0": "closed", "1": "open"}. */
  states: Type.Optional(Type.Record(Type.String(), Type.String())),
  /** How far it may be written; absent: read only. */
  write: Type.Optional(WriteLimits),
});
export type Point = Static<typeof Point>;

export const PointQuery = Type.Object({
  equipment: Type.Optional(Uuid),
  building: Type.Optional(Uuid),
  protocol: Type.Optional(Type.String({ maxLength: 40 })),
  /** A Haystack filter over their tags: `point and zone and temp`. */
  filter: Type.Optional(Type.String({ maxLength: 500 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
  after: Type.Optional(Type.String({ maxLength: 200 })),
});
export type PointQuery = Static<typeof PointQuery>;

export const HistoryBy = Type.Union([
  Type.Literal('raw'),
  Type.Literal('hour'),
  Type.Literal('day'),
  Type.Literal('month'),
]);
export type HistoryBy = Static<typeof HistoryBy>;

/** `from` inclusive, `to` exclusive; at most 400 days. Buckets are cut in the site's zone. */
export const HistoryQuery = Type.Object({
  from: Instant,
  to: Instant,
  by: Type.Optional(HistoryBy),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 10_000 })),
  after: Type.Optional(Type.String({ maxLength: 200 })),
});
export type HistoryQuery = Static<typeof HistoryQuery>;

export const HistoryItem = Type.Object({
  /** raw: the sample's time; bucket: its start. */
  at: Instant,
  /** Bucket only: its exclusive end. */
  to: Type.Optional(Instant),
  /** raw: the value; gauge bucket: mean over time of good samples; register bucket: use in it. null = missing, never zero. */
  value: Nullable(Type.Number()),
  min: Type.Optional(Nullable(Type.Number())),
  max: Type.Optional(Nullable(Type.Number())),
  /** Bucket: worst quality inside; a register bucket whose ends are not both known is 'uncertain'. */
  quality: Quality,
  /** From the demo history or an import marked simulated. */
  simulated: Type.Optional(Type.Boolean()),
  /** raw: taken while the clock of the gateway could not be trusted. The value holds, its time may not. */
  timeSuspect: Type.Optional(Type.Boolean()),
});
export type HistoryItem = Static<typeof HistoryItem>;

export const History = Type.Object({
  pointId: Uuid,
  unit: Type.String(),
  kind: PointKind,
  by: HistoryBy,
  timezone: Type.String(),
  items: Type.Array(HistoryItem),
  /** Silences longer than the point's staleAfterMs inside [from, to): drawn as gaps. */
  gaps: Type.Array(Type.Object({ from: Instant, to: Instant })),
  next: Nullable(Type.String()),
});
export type History = Static<typeof History>;

/** GET /api/live?points=<id,id,…> (or equipment=, building=). SSE: `event: samples`, data = LiveSample[]; a snapshot comes first. */
export const LiveQuery = Type.Object({
  points: Type.Optional(Type.String({ maxLength: 40_000 })),
  equipment: Type.Optional(Uuid),
  building: Type.Optional(Uuid),
});
export const LiveSample = Type.Object({
  pointId: Uuid,
  at: Nullable(Instant),
  value: Nullable(Type.Number()),
  quality: Nullable(Quality),
});
export type LiveSample = Static<typeof LiveSample>;

/** One thing that a gateway reported beside its readings. */
export const GatewayReport = Type.Object({
  /** By the gateway's clock. */
  at: Instant,
  receivedAt: Instant,
  event: GatewayEvent,
  /** Name of the point or the equipment it is about, in the reader's language; null when it is about the gateway itself. */
  subject: Nullable(Type.String()),
});
export type GatewayReport = Static<typeof GatewayReport>;

/** Newest first. `after` is the `next` of the page before. */
export const GatewayReportQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  after: Type.Optional(Type.String({ maxLength: 200 })),
});
export type GatewayReportQuery = Static<typeof GatewayReportQuery>;
