import { Severity, Skill, Unit } from '@parkline/contract';
import { LocalName } from '@parkline/templates';
import { type Static, type TProperties, Type } from 'typebox';

const Key = Type.String({ pattern: '^[a-z][a-z0-9-]*$' });
/** Key of a point: its role in every template. */
const Role = Type.String({ pattern: '^[a-z][a-z0-9_]*$' });

/** What an account may move. */
const Limit = Type.Object(
  { value: Type.Number(), unit: Unit, min: Type.Number(), max: Type.Number() },
  { additionalProperties: false },
);

/** The rule is judged only while every one of these holds: the value is exactly this, or no further from 0 than this. */
const Guard = Type.Union([
  Type.Object({ point: Role, equals: Type.Number() }, { additionalProperties: false }),
  Type.Object({ point: Role, within: Type.Number({ exclusiveMinimum: 0 }) }, { additionalProperties: false }),
]);
export type Guard = Static<typeof Guard>;

const common = {
  key: Key,
  /** Seconds without a break before the fault opens. Time without evidence does not count. */
  for: Type.Integer({ minimum: 0, maximum: 86_400 }),
  /** Seconds of the contrary before it clears: a flapping point makes one episode. */
  clearFor: Type.Integer({ minimum: 0, maximum: 86_400 }),
  /** Only a person, or a recorded event, ends the episode. */
  latched: Type.Optional(Type.Boolean()),
  severity: Severity,
  skill: Skill,
  title: LocalName,
  advice: LocalName,
  /** The sentence of an episode; {names} are filled from its evidence. */
  detail: LocalName,
  /** Further points whose values belong into the sentence. */
  shows: Type.Optional(Type.Array(Role)),
  /** Rules whose faults are consequences of this one: on the same equipment, or on what it serves. */
  explains: Type.Optional(
    Type.Object(
      { same: Type.Optional(Type.Array(Key)), served: Type.Optional(Type.Array(Key)) },
      { additionalProperties: false },
    ),
  ),
};
const equipment = Type.Array(Type.String(), { minItems: 1 });
const guards = Type.Optional(Type.Array(Guard, { minItems: 1 }));
const hysteresis = Type.Optional(Type.Number({ minimum: 0 }));
const closed = <T extends TProperties>(properties: T) =>
  Type.Object({ ...common, ...properties }, { additionalProperties: false });

/** A value against a limit: above, below, or exactly `equals`. */
export const ThresholdRule = closed({
  kind: Type.Literal('threshold'),
  equipment,
  point: Role,
  equals: Type.Optional(Type.Number()),
  side: Type.Optional(Type.Union([Type.Literal('above'), Type.Literal('below')])),
  limit: Type.Optional(Limit),
  hysteresis,
  while: guards,
});
/** left - right against a limit; `either` takes the difference without its sign. */
export const ComparisonRule = closed({
  kind: Type.Literal('comparison'),
  equipment,
  left: Role,
  right: Role,
  difference: Type.Union([Type.Literal('above'), Type.Literal('below'), Type.Literal('either')]),
  limit: Limit,
  hysteresis,
  while: guards,
});
/** A device or a gateway says nothing. */
export const NoDataRule = closed({
  kind: Type.Literal('no-data'),
  of: Type.Union([Type.Literal('device'), Type.Literal('gateway')]),
  equipment: Type.Optional(equipment),
  /** Every kind of equipment but these. */
  except: Type.Optional(equipment),
});
/** What a gateway has to send takes more than this share of its outbox. */
export const FillingRule = closed({ kind: Type.Literal('filling'), limit: Limit, hysteresis });
/** The clock of a gateway is further off the cloud's than this. */
export const ClockRule = closed({ kind: Type.Literal('clock'), limit: Limit });
/** Bit for bit the same value again and again, while its peers move. */
export const FrozenRule = closed({ kind: Type.Literal('frozen'), equipment, point: Role });
/** A register below its last good value. Looks at the first of `points` that a device has. */
export const StepBackRule = closed({
  kind: Type.Literal('step-back'),
  points: Type.Array(Role, { minItems: 1 }),
});

export const ruleSchemas = {
  threshold: ThresholdRule,
  comparison: ComparisonRule,
  'no-data': NoDataRule,
  filling: FillingRule,
  clock: ClockRule,
  frozen: FrozenRule,
  'step-back': StepBackRule,
} as const;

export type ThresholdRule = Static<typeof ThresholdRule>;
export type ComparisonRule = Static<typeof ComparisonRule>;
export type NoDataRule = Static<typeof NoDataRule>;
export type FillingRule = Static<typeof FillingRule>;
export type ClockRule = Static<typeof ClockRule>;
export type FrozenRule = Static<typeof FrozenRule>;
export type StepBackRule = Static<typeof StepBackRule>;
export type Rule =
  ThresholdRule | ComparisonRule | NoDataRule | FillingRule | ClockRule | FrozenRule | StepBackRule;
