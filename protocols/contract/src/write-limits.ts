import { type Static, Type } from 'typebox';

/** Declares that a point may be written, and how far. A point without it is read only, whoever asks. */
export const WriteLimits = Type.Object(
  {
    /** Lowest and highest value that may be written, in the point's unit. */
    min: Type.Number(),
    max: Type.Number(),
    /** The value is min plus a whole number of these: 1 for a state. Absent: any. */
    step: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    /** Writes a minute, from whomever. */
    perMinute: Type.Integer({ minimum: 1, maximum: 60, default: 6 }),
    /** BACnet priority; 1-7 belong to life safety and plant protection. */
    priority: Type.Integer({ minimum: 8, maximum: 16, default: 16 }),
    /** The point is given back by itself after this time unless a command asks for less. Seconds. */
    holdS: Type.Integer({ minimum: 1, maximum: 86_400, default: 3_600 }),
    /** What is written to give the point back where the protocol has no priorities: the automatic value. Absent: it stays. */
    release: Type.Optional(Type.Number()),
    /** People may be hurt: a gate, an elevator. Two different people must want it. */
    safety: Type.Boolean({ default: false }),
  },
  { additionalProperties: false },
);
export type WriteLimits = Static<typeof WriteLimits>;
