import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';
import { LocalDate } from './common.ts';
import { DecimalText } from './usage.ts';

/** A draft may be computed again; a locked run never changes. */
export const BillingRunState = Type.Union([Type.Literal('draft'), Type.Literal('locked')]);
export type BillingRunState = Static<typeof BillingRunState>;

/** One month of one supply. All money and energy is decimal text. */
export const BillingRunSummary = Type.Object({
  id: Uuid,
  siteName: Type.String(),
  /** Local days; `to` exclusive. */
  period: Type.Object({ from: LocalDate, to: LocalDate }),
  state: BillingRunState,
  createdAt: Instant,
  lockedAt: Nullable(Instant),
  currency: Type.String(),
  /** Of all statements; equals `supplyTotal` by the law of rounding. */
  total: DecimalText,
  supplyTotal: DecimalText,
  statementCount: Type.Integer(),
  /** SHA-256 of everything the run was computed from. */
  inputsHash: Type.String(),
});
export type BillingRunSummary = Static<typeof BillingRunSummary>;

/** What was looked at before anybody is billed; `ok: false` is a thing for a person to judge. */
export const billingCheckKeys = [
  'statements_equal_supply',
  'rounding_within_law',
  'all_energy_billed_once',
  'completeness',
  'estimates_within_limit',
  'loss_within_limits',
] as const;
export const BillingCheck = Type.Object({
  key: Type.Enum(billingCheckKeys),
  ok: Type.Boolean(),
  /** A sentence with its figures, in the reader's language. */
  detail: Type.String(),
});
export type BillingCheck = Static<typeof BillingCheck>;

export const StatementSummary = Type.Object({
  id: Uuid,
  /** Whom it is for, as the run's inputs name them. */
  party: Type.String(),
  /** The landlord carries vacant space and the rounding line. */
  kind: Type.Union([Type.Literal('tenant'), Type.Literal('landlord')]),
  /** Direct use. */
  kwh: DecimalText,
  /** Part of `kwh` that rests on estimates. */
  estimatedKwh: DecimalText,
  net: DecimalText,
  tax: DecimalText,
  total: DecimalText,
});
export type StatementSummary = Static<typeof StatementSummary>;

/** GET /api/billing-runs/:id. */
export const BillingRun = Type.Object({
  ...BillingRunSummary.properties,
  /** The supplier's bill that the statements split. */
  supply: Type.Object({
    kwh: DecimalText,
    energy: DecimalText,
    demand: DecimalText,
    powerFactor: DecimalText,
    total: DecimalText,
  }),
  checks: Type.Array(BillingCheck),
  /** In the run's fixed order of parties. */
  statements: Type.Array(StatementSummary),
});
export type BillingRun = Static<typeof BillingRun>;

/** energy: own use at one price; share: part of a pool; rounding: what rounding line by line left over. */
export const StatementLineKind = Type.Union([
  Type.Literal('energy'),
  Type.Literal('share'),
  Type.Literal('rounding'),
]);

/** How a line came about, so that a person with a calculator can follow it. */
export const StatementLine = Type.Object({
  id: Uuid,
  label: Type.String(),
  kind: StatementLineKind,
  /** energy: kWh; share: own weight in the pool. */
  quantity: Nullable(DecimalText),
  /** Of `quantity`; null where it is a bare weight. */
  unit: Nullable(Type.String()),
  /** Per unit, tax included. */
  price: Nullable(DecimalText),
  amount: DecimalText,
  /** '336.00 kWh × 0.1830 = 61.49'. */
  formula: Type.String(),
  /** Key of the pool of a share ('loss', 'demand', 'power_factor' or a common usage point). */
  pool: Nullable(Type.String()),
  /** The pool as a whole, and how it was priced; null unless a share. */
  poolTotal: Nullable(DecimalText),
  poolLines: Type.Array(
    Type.Object({
      band: Type.String(),
      tariffVersion: Type.String(),
      quantity: DecimalText,
      price: DecimalText,
      amount: DecimalText,
    }),
  ),
  /** Keys of the metered places and devices behind it. */
  usagePoints: Type.Array(Type.String()),
  meters: Type.Array(Type.String()),
  /** Null on a line that no single price makes. */
  band: Nullable(Type.String()),
  tariffVersion: Nullable(Type.String()),
  /** How many intervals GET /api/statement-lines/:id/intervals lists. */
  intervals: Type.Integer(),
});
export type StatementLine = Static<typeof StatementLine>;

/** GET /api/statements/:id. */
export const Statement = Type.Object({
  ...StatementSummary.properties,
  runId: Uuid,
  currency: Type.String(),
  period: BillingRunSummary.properties.period,
  timezone: Type.String(),
  lines: Type.Array(StatementLine),
});
export type Statement = Static<typeof Statement>;

/** M measured, V a boundary interpolated between two close registers, E estimated. */
export const IntervalQuality = Type.Union([Type.Literal('M'), Type.Literal('V'), Type.Literal('E')]);

/** A quarter hour of one usage point. The intervals of an energy line add up to its quantity exactly. */
export const LineInterval = Type.Object({
  from: Instant,
  to: Instant,
  usagePoint: Type.String(),
  /** What is billed at the point itself: through its meter, less what is metered below it. */
  kwh: DecimalText,
  /** Through its own meter. */
  through: DecimalText,
  quality: IntervalQuality,
  /** Rule that validated or made it: 'rollover', 'swap', 'interpolated', 'missing:like-day', ...; null when plainly measured. */
  rule: Nullable(Type.String()),
  band: Type.String(),
  tariffVersion: Type.String(),
  /** One entry a meter; two where meters were exchanged within the interval. */
  registers: Type.Array(
    Type.Object({
      meter: Type.String(),
      multiplier: DecimalText,
      /** As displayed at its start and end; null where the register is missing or was rejected. */
      from: Nullable(DecimalText),
      to: Nullable(DecimalText),
    }),
  ),
  /** The party's part of the pool, own weight and sum of weights; null on an energy line. */
  share: Nullable(Type.Object({ weight: DecimalText, of: DecimalText })),
});
export type LineInterval = Static<typeof LineInterval>;

export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
  after: Type.Optional(Type.String({ maxLength: 200 })),
});
export type PageQuery = Static<typeof PageQuery>;
