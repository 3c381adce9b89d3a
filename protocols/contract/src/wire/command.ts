import { type Static, Type } from 'typebox';

const Id = Type.String({ format: 'uuid' });
const Person = Type.Object({ id: Id, name: Type.String({ minLength: 1, maxLength: 200 }) });

/**
 * An order to write one point, body of a {@link SignedText} signed by the cloud. The gateway does it at most once, never after
 * `expiresAt`, and only if its own configuration declares the point writable: the signature proves who asks, not that it is wise.
 */
export const Command = Type.Object({
  id: Id,
  gatewayId: Id,
  pointId: Id,
  /** Engineering value in the point's unit; null gives the point back. */
  value: Type.Union([Type.Number(), Type.Null()]),
  /** Give the point back after this time; seconds, at most what the point's limits say. */
  holdS: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
  actor: Person,
  /** The second person, for points that are a matter of safety. Never the actor. */
  approver: Type.Union([Person, Type.Null()]),
  reason: Type.String({ minLength: 3, maxLength: 500 }),
  /** Unix ms by the cloud's clock. */
  issuedAt: Type.Integer(),
  expiresAt: Type.Integer(),
});
export type Command = Static<typeof Command>;

/**
 * done: the device shows the value. overridden, differs: written, and the device shows another. refused: not written, see why.
 * failed: not written, or nobody knows; see why. released: the hold is over and the point was given back.
 */
export const CommandOutcome = Type.Union([
  Type.Literal('done'),
  Type.Literal('overridden'),
  Type.Literal('differs'),
  Type.Literal('refused'),
  Type.Literal('failed'),
  Type.Literal('released'),
]);
export type CommandOutcome = Static<typeof CommandOutcome>;
