import { type Static, Type } from 'typebox';
import { GatewayKeys, IssuedCredentials, KeyProofs } from '../api/provisioning.ts';
import { PointKind, Unit } from '../units.ts';

const Uuid = Type.String({ format: 'uuid' });
/** Unix ms. */
const At = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 });
const about = { gatewayId: Uuid, at: At };

/** Cloud -> gateway on `cmd.<id>.ask`, body of a {@link SignedText}: something that it is to do beside writing points. */
export const GatewayAsk = Type.Object({
  ...about,
  id: Uuid,
  what: Type.Union([Type.Literal('rotate'), Type.Literal('logs')]),
  /** Of `logs`: how many of the last. */
  lines: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_000 })),
  /** After this it is not done any more. */
  expiresAt: At,
});
export type GatewayAsk = Static<typeof GatewayAsk>;

/** A device as it was mapped on the gateway. */
export const MappedDevice = Type.Object({
  id: Uuid,
  name: Type.String({ minLength: 1, maxLength: 200 }),
  /** Id and driver of its connection. */
  bus: Type.String({ minLength: 1, maxLength: 200 }),
  protocol: Type.String({ minLength: 1, maxLength: 100 }),
  /** Where it hangs on the bus; without anything secret. */
  params: Type.Record(Type.String(), Type.Unknown()),
  template: Type.Optional(Type.String({ maxLength: 200 })),
  points: Type.Array(
    Type.Object({
      id: Uuid,
      key: Type.String({ minLength: 1, maxLength: 100 }),
      address: Type.String({ maxLength: 500 }),
      kind: PointKind,
      unit: Unit,
      resolution: Type.Number({ exclusiveMinimum: 0 }),
      scale: Type.Number(),
      offset: Type.Optional(Type.Number()),
      deadband: Type.Number({ minimum: 0 }),
      pollMs: Type.Integer({ minimum: 1 }),
      heartbeatMs: Type.Integer({ minimum: 1 }),
    }),
    { maxItems: 10_000 },
  ),
});
export type MappedDevice = Static<typeof MappedDevice>;

/** What was mapped on the gateway itself. */
export const MappedPark = Type.Object({
  buses: Type.Array(
    Type.Object({
      key: Type.String({ minLength: 1, maxLength: 200 }),
      protocol: Type.String({ minLength: 1, maxLength: 100 }),
      /** Of the connection; without anything secret. */
      params: Type.Record(Type.String(), Type.Unknown()),
    }),
    { maxItems: 200 },
  ),
  devices: Type.Array(MappedDevice, { maxItems: 2_000 }),
});
export type MappedPark = Static<typeof MappedPark>;

/** Gateway -> cloud on `rpc.<id>.gw`, body of a {@link SignedText} by its key. */
export const GatewayCall = Type.Union([
  /** It has connected with these keys; an older pair is thrown out on this word. */
  Type.Object({ ...about, what: Type.Literal('hello'), version: Type.String({ maxLength: 100 }) }),
  /** JWT and certificate anew, for the same keys. */
  Type.Object({ ...about, what: Type.Literal('renew') }),
  /** New keys, signed for by the old one and each by itself. */
  Type.Object({ ...about, what: Type.Literal('rotate'), keys: GatewayKeys, proofs: KeyProofs }),
  Type.Object({
    ...about,
    what: Type.Literal('mapping'),
    /** SHA-256 (hex) of the JSON. */
    hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** Absent: only asks whether the cloud wants them. zstd of JSON of {@link MappedPark}, base64. */
    park: Type.Optional(Type.String({ maxLength: 900_000 })),
  }),
  Type.Object({
    ...about,
    what: Type.Literal('logs'),
    /** Of the {@link GatewayAsk}. */
    askId: Uuid,
    lines: Type.Array(Type.String({ maxLength: 4_000 }), { maxItems: 2_000 }),
    truncated: Type.Boolean(),
  }),
]);
export type GatewayCall = Static<typeof GatewayCall>;

/** The answer, body of a {@link SignedText} by the cloud. */
export const DeskAnswer = Type.Object({
  gatewayId: Uuid,
  /** `at` of the call that this answers: an old answer fits no new call. */
  to: At,
  ok: Type.Boolean(),
  /** Why not, for a person; empty otherwise. */
  why: Type.String(),
  credentials: Type.Optional(IssuedCredentials),
  /** Of `mapping`: the cloud has not seen it. */
  wanted: Type.Optional(Type.Boolean()),
});
export type DeskAnswer = Static<typeof DeskAnswer>;
