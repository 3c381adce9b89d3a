import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';

/**
 * awaiting_approval: a second person must want it. queued: about to be sent. sent: the gateway has it. done, overridden, differs,
 * refused, failed: what the gateway said. expired: its time ran out, see why. released: the point was given back.
 */
export const commandStates = [
  'awaiting_approval',
  'queued',
  'sent',
  'done',
  'overridden',
  'differs',
  'refused',
  'failed',
  'expired',
  'rejected',
  'cancelled',
  'released',
] as const;
export const CommandState = Type.Enum(commandStates);
export type CommandState = (typeof commandStates)[number];

const Who = Type.Object({ id: Uuid, name: Type.String() });

/** An order to write one point, and what became of it. */
export const CommandView = Type.Object({
  id: Uuid,
  pointId: Uuid,
  pointName: Type.String(),
  unit: Type.String(),
  /** Decimals worth showing, and of a state what its whole numbers mean. */
  decimals: Type.Integer({ minimum: 0, maximum: 6 }),
  states: Type.Optional(Type.Record(Type.String(), Type.String())),
  equipmentId: Uuid,
  equipmentName: Type.String(),
  gatewayId: Uuid,
  /** Engineering value; null gives the point back. */
  value: Nullable(Type.Number()),
  /** After this time the gateway gives the point back; null: it stays. */
  holdS: Nullable(Type.Integer()),
  reason: Type.String(),
  /** People may be hurt: two people must want it. */
  safety: Type.Boolean(),
  state: CommandState,
  actor: Who,
  approver: Nullable(Who),
  requestedAt: Instant,
  sentAt: Nullable(Instant),
  /** When the outcome was heard, or its time ran out. */
  endedAt: Nullable(Instant),
  /** Read before the write and after it. */
  before: Nullable(Type.Number()),
  after: Nullable(Type.Number()),
  /** `<code>: <sentence>` for what was not done; else what there is to say. Null: nothing. */
  why: Nullable(Type.String()),
  /** Until when the point is held; null: it is not. */
  heldUntil: Nullable(Instant),
});
export type CommandView = Static<typeof CommandView>;

/** POST /api/points/:id/commands */
export const CommandBody = Type.Object({
  value: Nullable(Type.Number()),
  holdS: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
  reason: Type.String({ minLength: 3, maxLength: 500 }),
});
export type CommandBody = Static<typeof CommandBody>;

/** GET /api/commands: newest first. */
export const CommandQuery = Type.Object({
  point: Type.Optional(Uuid),
  equipment: Type.Optional(Uuid),
  state: Type.Optional(CommandState),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  after: Type.Optional(Uuid),
});
