import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';

/** Worst first. `notice` informs and makes no work order. */
export const severities = ['critical', 'warning', 'notice'] as const;
export const Severity = Type.Enum(severities);
export type Severity = (typeof severities)[number];

/** What a person must know to repair it; a work order goes to somebody who has it. */
export const skills = ['hvac', 'electrical', 'plumbing', 'elevator', 'security', 'metering'] as const;
export const Skill = Type.Enum(skills);
export type Skill = (typeof skills)[number];

export const orderStates = ['waiting', 'dispatched', 'accepted', 'in_progress', 'done', 'cancelled'] as const;
export const OrderState = Type.Enum(orderStates);
export type OrderState = (typeof orderStates)[number];

/**
 * Why an episode is over: what it told of is not so any more, somebody took note of a thing that happened once, a swap of the
 * meter was recorded, or the rule was switched off or does not apply any more.
 */
export const clearReasons = ['recovered', 'acknowledged', 'swapped', 'rule_off'] as const;
export const ClearReason = Type.Enum(clearReasons);
export type ClearReason = (typeof clearReasons)[number];

/** One episode: from the moment a rule was sure to the moment it was over. At most one is open for a rule and a subject. */
export const Fault = Type.Object({
  id: Uuid,
  /** Key of the rule, 'ahu-supply-fan-fails'. */
  rule: Type.String(),
  title: Type.String(),
  /** What to look at first. */
  advice: Type.String(),
  severity: Severity,
  state: Type.Union([Type.Literal('open'), Type.Literal('cleared')]),
  /** Null for a fault of a gateway. */
  equipmentId: Nullable(Uuid),
  /** Name of the equipment, or of the gateway where it is a gateway's fault. */
  equipmentName: Type.String(),
  /** The gateway that is at fault; null for a fault of equipment. */
  gatewayId: Nullable(Uuid),
  buildingId: Uuid,
  floorId: Nullable(Uuid),
  /** The points whose values proved it. */
  pointIds: Type.Array(Uuid),
  /** A sentence with the values that proved it. */
  detail: Type.String(),
  openedAt: Instant,
  clearedAt: Nullable(Instant),
  clearedWhy: Nullable(ClearReason),
  acknowledgedAt: Nullable(Instant),
  /** Name of the person. */
  acknowledgedBy: Nullable(Type.String()),
  /** Whether acknowledging ends the episode: true of what happens once, such as a register that fell. */
  endsByAcknowledging: Type.Boolean(),
  /** The fault that this one is a consequence of: it is grouped there and has no order of its own. */
  causeId: Nullable(Uuid),
  /** How many faults, open or over, are grouped under this one. */
  consequences: Type.Integer(),
  orderId: Nullable(Uuid),
  orderState: Nullable(OrderState),
  orderNumber: Nullable(Type.String()),
});
export type Fault = Static<typeof Fault>;

/** Newest first. Consequences are left out unless `all` or `cause` asks for them. */
export const FaultQuery = Type.Object({
  state: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('cleared')])),
  severity: Type.Optional(Severity),
  building: Type.Optional(Uuid),
  equipment: Type.Optional(Uuid),
  rule: Type.Optional(Type.String({ maxLength: 80 })),
  /** Only what is grouped under this fault. */
  cause: Type.Optional(Uuid),
  all: Type.Optional(Type.Boolean()),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  after: Type.Optional(Uuid),
});
export type FaultQuery = Static<typeof FaultQuery>;

export const ruleKinds = [
  'threshold',
  'comparison',
  'no-data',
  'filling',
  'clock',
  'frozen',
  'step-back',
] as const;
export const RuleKind = Type.Enum(ruleKinds);
export type RuleKind = (typeof ruleKinds)[number];

/** Settings of an account for one rule; PUT /api/fault-rules/:key takes them whole. */
export const FaultRuleSettings = Type.Object({
  enabled: Type.Boolean(),
  /** Seconds that the condition must hold without a break before the fault opens. */
  forS: Type.Integer({ minimum: 0, maximum: 86_400 }),
  /** In the rule's `limitUnit`; null for a rule without a limit. */
  limit: Nullable(Type.Number()),
});
export type FaultRuleSettings = Static<typeof FaultRuleSettings>;

export const FaultRule = Type.Object({
  key: Type.String(),
  title: Type.String(),
  advice: Type.String(),
  kind: RuleKind,
  severity: Severity,
  skill: Skill,
  /** Kinds of equipment it looks at; empty for a rule about gateways, or about every kind. */
  equipmentKinds: Type.Array(Type.String()),
  ...FaultRuleSettings.properties,
  limitUnit: Nullable(Type.String()),
  /** Range in which `limit` makes sense; null for a rule without a limit. */
  limitRange: Nullable(Type.Object({ min: Type.Number(), max: Type.Number() })),
  /** What holds where the account has set nothing. */
  preset: FaultRuleSettings,
  /** Goes back in If-Match when the settings are changed; 0: the account has set nothing. */
  version: Type.Integer({ minimum: 0 }),
});
export type FaultRule = Static<typeof FaultRule>;
