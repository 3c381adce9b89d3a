import { type Static, Type } from 'typebox';

/** A small JSON message whose author must be proven: receipts, health, commands, configurations. Ed25519 over the UTF-8 of `body`. */
export const SignedText = Type.Object({
  /** JSON text, signed as it stands. It names its addressee, so it cannot be replayed to another. */
  body: Type.String(),
  /** base64url, 64 bytes decoded. */
  sig: Type.String(),
});
export type SignedText = Static<typeof SignedText>;

/** What the cloud holds of one outbox, committed: [[1,812],[905,990]], both ends inclusive, ascending, disjoint. */
export const Receipt = Type.Object({
  gatewayId: Type.String({ format: 'uuid' }),
  epoch: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  ranges: Type.Array(Type.Tuple([Type.Integer({ minimum: 1 }), Type.Integer({ minimum: 1 })])),
  /** Unix ms of the cloud's clock. */
  at: Type.Integer(),
});
export type Receipt = Static<typeof Receipt>;

export const ReceiptQuery = Type.Object({ epoch: Type.String({ pattern: '^[0-9a-f]{16}$' }) });
export type ReceiptQuery = Static<typeof ReceiptQuery>;

/** A whole configuration for a gateway, body of a {@link SignedText} signed by the cloud. */
export const ConfigOffer = Type.Object({
  gatewayId: Type.String({ format: 'uuid' }),
  /** Text of gateway.yaml. */
  yaml: Type.String({ maxLength: 4_000_000 }),
  /** Unix ms of the cloud's clock; an older offer never replaces a newer one. */
  at: Type.Integer(),
});
export type ConfigOffer = Static<typeof ConfigOffer>;

/** A gateway's own account of itself, every 10 s and at once when a device's state changes. */
export const GatewayHealth = Type.Object({
  gatewayId: Type.String({ format: 'uuid' }),
  /** Unix ms of the gateway's clock. */
  at: Type.Integer(),
  startedAt: Type.Integer(),
  version: Type.String(),
  /** off: somebody on site has switched remote writing off. */
  writing: Type.Optional(Type.Union([Type.Literal('on'), Type.Literal('off')])),
  outbox: Type.Object({
    /** Messages not yet receipted. */
    pending: Type.Integer({ minimum: 0 }),
    /** Unix ms of the oldest of them; null when none. */
    oldestAt: Type.Union([Type.Integer(), Type.Null()]),
    bytes: Type.Integer({ minimum: 0 }),
    maxBytes: Type.Integer({ minimum: 0 }),
    /** Bytes of those not yet receipted. */
    waitingBytes: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Hours until nothing more is taken in if nothing is sent from now on; null when nobody can tell. */
    hoursLeft: Type.Optional(Type.Union([Type.Number({ minimum: 0 }), Type.Null()])),
    /** Samples refused since start because the outbox was full or its disk failed: declared gaps. */
    refused: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
  devices: Type.Array(
    Type.Object({
      equipmentId: Type.String({ format: 'uuid' }),
      state: Type.Union([Type.Literal('online'), Type.Literal('silent'), Type.Literal('starting')]),
      /** Unix ms of the last good answer; null when none since start. */
      lastOkAt: Type.Union([Type.Integer(), Type.Null()]),
      /** Why it is silent, for a person; null when it is not. */
      error: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
});
export type GatewayHealth = Static<typeof GatewayHealth>;

/** What ingest tells the api right after commit, for the live page: engineering values. */
export const LiveUpdate = Type.Object({
  samples: Type.Array(
    Type.Object({
      pointId: Type.String(),
      /** Unix ms. */
      at: Type.Integer(),
      value: Type.Union([Type.Number(), Type.Null()]),
      q: Type.Integer({ minimum: 0, maximum: 2 }),
    }),
  ),
});
export type LiveUpdate = Static<typeof LiveUpdate>;
