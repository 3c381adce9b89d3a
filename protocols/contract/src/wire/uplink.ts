import { type Static, Type } from 'typebox';
import { PointKind, Unit } from '../units.ts';

/** Names one uplink message for ever: (gatewayId, epoch, seq). Travels as JSON in the envelope's head. */
export const UplinkHeader = Type.Object({
  gatewayId: Type.String({ format: 'uuid' }),
  /** 64 random bits as 16 hex digits, made when the outbox file is created. */
  epoch: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  /** Given at append, never changed, whichever lane carries the message. */
  seq: Type.Integer({ minimum: 1 }),
  kind: Type.Union([Type.Literal('samples'), Type.Literal('points'), Type.Literal('events')]),
  /** Samples, points or events inside. */
  count: Type.Integer({ minimum: 0, maximum: 10_000 }),
  /** Unix ms of the earliest and latest sample; both the time of writing for a point table. */
  from: Type.Integer({ minimum: 0 }),
  to: Type.Integer({ minimum: 0 }),
});
export type UplinkHeader = Static<typeof UplinkHeader>;

/** Samples as parallel columns, because they compress to a third of named objects. JSON, then zstd. */
export const SampleBatch = Type.Object({
  /** SHA-256 (hex) of the point table that `p` indexes into. */
  table: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  /** Unix ms that `dt` counts from. */
  t0: Type.Integer({ minimum: 0 }),
  /** Index of each sample's point in the point table. */
  p: Type.Array(Type.Integer({ minimum: 0 }), { maxItems: 10_000 }),
  /** ms after t0, one per sample. */
  dt: Type.Array(Type.Integer()),
  /** Gauge: engineering value. Register: whole counts of the point's resolution. State: 0/1 or code. null when bad. */
  v: Type.Array(Type.Union([Type.Number(), Type.Null()])),
  /** 0 good, 1 uncertain, 2 bad. */
  q: Type.Array(Type.Integer({ minimum: 0, maximum: 2 })),
  /** Indexes of the samples whose read began within 10 s after a quarter hour: they stand for that boundary. */
  boundary: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }))),
  /** Indexes of the samples taken while the gateway's clock was suspect. */
  suspect: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }))),
});
export type SampleBatch = Static<typeof SampleBatch>;

/** The points a batch may name, sent once as an uplink message of its own and never edited. JSON, then zstd. */
export const PointTable = Type.Object({
  points: Type.Array(
    Type.Object({
      id: Type.String({ format: 'uuid' }),
      unit: Unit,
      kind: PointKind,
      /** Engineering value of one count; 1 for gauges and states. */
      resolution: Type.Number({ exclusiveMinimum: 0 }),
    }),
    { maxItems: 10_000 },
  ),
});
export type PointTable = Static<typeof PointTable>;

/** A decompressed payload larger than this is refused before it is parsed. */
export const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;
