import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false };
const Key = Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,99}$' });
const PointId = Type.String({ format: 'uuid' });

/** An alarm that the gateway raises by itself, with or without its cloud. */
export const AlarmRule = Type.Object(
  {
    key: Key,
    point: PointId,
    /** missing: the point cannot be read. */
    when: Type.Union([
      Type.Literal('above'),
      Type.Literal('below'),
      Type.Literal('equals'),
      Type.Literal('missing'),
    ]),
    /** In the unit of the point, of a register in counts; not for `missing`. */
    limit: Type.Optional(Type.Number()),
    /** The alarm is over only when the value is this far on the good side of the limit. */
    hysteresis: Type.Number({ default: 0, minimum: 0 }),
    /** Seconds without a break before it is raised. */
    forS: Type.Number({ default: 0, minimum: 0, maximum: 86_400 }),
    /** What to tell people. */
    text: Type.String({ minLength: 1, maxLength: 500 }),
  },
  strict,
);
export type AlarmRule = Static<typeof AlarmRule>;

/** A value that is written at certain times, with or without the cloud. */
export const Schedule = Type.Object(
  {
    key: Key,
    /** Five fields, in the time zone of the gateway: '0 7 * * 1-5'. */
    cron: Type.String({ minLength: 9, maxLength: 100 }),
    point: PointId,
    /** null gives the point back. */
    value: Type.Union([Type.Number(), Type.Null()]),
    /** The value stands this long, seconds; it is written anew as often as the point's own limit asks for. Its limit when absent. */
    forS: Type.Optional(Type.Integer({ minimum: 1, maximum: 7 * 86_400 })),
  },
  strict,
);
export type Schedule = Static<typeof Schedule>;

export const LocalRules = Type.Object(
  {
    alarms: Type.Array(AlarmRule, { default: [] }),
    schedules: Type.Array(Schedule, { default: [] }),
  },
  { ...strict, default: {} },
);
export type LocalRules = Static<typeof LocalRules>;
