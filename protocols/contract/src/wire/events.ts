import { type Static, Type } from 'typebox';
import { CommandOutcome } from './command.ts';

const Id = Type.String({ format: 'uuid' });
const Value = Type.Union([Type.Number(), Type.Null()]);
const Words = Type.String({ maxLength: 1_000 });
/** Unix ms of the gateway's clock, as far as dates go. */
const At = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 });

/** Samples that were read and are not sent, and why: the opposite of a silent gap. */
export const GapEvent = Type.Object({
  type: Type.Literal('gap'),
  id: Id,
  at: At,
  /** First and last sample concerned. */
  from: At,
  to: At,
  count: Type.Integer({ minimum: 1 }),
  what: Type.Union([Type.Literal('gauges'), Type.Literal('all')]),
  /** full: no room. disk: it failed. thinned: every n-th was kept to make room. */
  why: Type.Union([Type.Literal('full'), Type.Literal('disk'), Type.Literal('thinned')]),
});

/** What became of a command: journalled before it is sent, so it survives any kill. */
export const CommandEvent = Type.Object({
  type: Type.Literal('command'),
  id: Id,
  at: At,
  commandId: Id,
  pointId: Id,
  outcome: CommandOutcome,
  /** Engineering values before the write and read back after it. */
  before: Value,
  after: Value,
  /** For a person; empty when there is nothing to say. */
  why: Words,
});

/** A local alarm: raised and cleared by the gateway's own rules, with or without its cloud. */
export const AlarmEvent = Type.Object({
  type: Type.Literal('alarm'),
  id: Id,
  at: At,
  rule: Type.String({ minLength: 1, maxLength: 100 }),
  pointId: Id,
  state: Type.Union([Type.Literal('raised'), Type.Literal('cleared')]),
  value: Value,
  text: Words,
});

/** What a device reports by itself (BACnet event notification). */
export const DeviceAlarmEvent = Type.Object({
  type: Type.Literal('device-alarm'),
  id: Id,
  at: At,
  equipmentId: Id,
  address: Type.String({ maxLength: 200 }),
  state: Type.Union([Type.Literal('alarm'), Type.Literal('fault'), Type.Literal('normal')]),
  text: Words,
});

/** What became of a new configuration. */
export const ConfigEvent = Type.Object({
  type: Type.Literal('config'),
  id: Id,
  at: At,
  /** SHA-256 (hex) of the configuration's text. */
  hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  state: Type.Union([
    Type.Literal('applied'),
    Type.Literal('kept'),
    Type.Literal('rolled-back'),
    Type.Literal('refused'),
  ]),
  why: Words,
});

/** What became of a release that was offered. */
export const UpdateEvent = Type.Object({
  type: Type.Literal('update'),
  id: Id,
  at: At,
  /** SHA-256 (hex) of the manifest's text. */
  release: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  version: Type.String({ maxLength: 60 }),
  /** refused: it may not run here. failed: it could not be fetched. applied: it runs, on trial. */
  state: Type.Union([
    Type.Literal('refused'),
    Type.Literal('failed'),
    Type.Literal('applied'),
    Type.Literal('kept'),
    Type.Literal('rolled-back'),
  ]),
  why: Words,
});
export type UpdateEvent = Static<typeof UpdateEvent>;

export const GatewayEvent = Type.Union([
  GapEvent,
  CommandEvent,
  AlarmEvent,
  DeviceAlarmEvent,
  ConfigEvent,
  UpdateEvent,
]);
export type GatewayEvent = Static<typeof GatewayEvent>;

/** Payload of an uplink message of kind 'events': what must reach the cloud once and in full, like samples. JSON, then zstd. */
export const EventBatch = Type.Object({ events: Type.Array(GatewayEvent, { minItems: 1, maxItems: 1_000 }) });
export type EventBatch = Static<typeof EventBatch>;
