import { type Static, Type } from 'typebox';
import { Quality } from '../units.ts';
import { Instant, Nullable, Uuid } from './common.ts';
import { LocalDate } from './common.ts';

/** What a usage point measures. */
export const commodities = ['electricity', 'water', 'heat'] as const;
export const Commodity = Type.Enum(commodities);
export type Commodity = (typeof commodities)[number];

/** Money and exact energy: decimal text such as '-12.30', because JSON numbers are floats. */
export const DecimalText = Type.String({ pattern: '^-?\\d+(\\.\\d+)?$' });

/** A metered place of a tenant, whichever meter hangs there; only on the days of its leases. */
export const UsagePoint = Type.Object({
  id: Uuid,
  name: Type.String(),
  commodity: Commodity,
  /** Of its use: kWh or m³. */
  unit: Type.String(),
  spaceId: Uuid,
  spaceName: Type.String(),
  /** First local day that the tenant holds the space. */
  from: LocalDate,
  /** Exclusive; null while the lease has no end. */
  to: Nullable(LocalDate),
});
export type UsagePoint = Static<typeof UsagePoint>;

/** In order of creation. */
export const UsagePointQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  after: Type.Optional(Uuid),
});
export type UsagePointQuery = Static<typeof UsagePointQuery>;

export const UsageBy = Type.Union([Type.Literal('hour'), Type.Literal('day'), Type.Literal('month')]);
export type UsageBy = Static<typeof UsageBy>;

/** `from` inclusive, `to` exclusive, at most 400 days. Cut to the days of the leases and to what has begun. */
export const UsageQuery = Type.Object({ from: Instant, to: Instant, by: UsageBy });
export type UsageQuery = Static<typeof UsageQuery>;

/** One hour, day or month of the site's clock, or the part of it that lies within a lease. */
export const UsageItem = Type.Object({
  at: Instant,
  /** Exclusive. */
  to: Instant,
  /** Register difference in the usage point's unit; null = not known, never zero. A number to draw, not to add up bills with. */
  value: Nullable(Type.Number()),
  quality: Quality,
  /** Cost to date before common pools; null where the use is not known or has no tariff. Each item is rounded by itself. */
  cost: Nullable(DecimalText),
});
export type UsageItem = Static<typeof UsageItem>;

/** The tariff that prices a use, as it stood last in the span. */
export const TariffName = Type.Object({ name: Type.String(), version: Type.String() });
export type TariffName = Static<typeof TariffName>;

/** What `cost` is: energy by the tariff alone; shares of common use, demand and loss come with the bill. */
export const CostKind = Type.Literal('estimate_before_common_pools');

/** GET /api/my/usage-points/:id/usage. */
export const Usage = Type.Object({
  usagePointId: Uuid,
  commodity: Commodity,
  unit: Type.String(),
  timezone: Type.String(),
  currency: Type.String(),
  by: UsageBy,
  items: Type.Array(UsageItem),
  costKind: CostKind,
  tariff: Nullable(TariffName),
});
export type Usage = Static<typeof Usage>;

/** Use and cost over a span; null = not known for any part of it. */
export const UsageSum = Type.Object({
  use: Nullable(Type.Number()),
  cost: Nullable(DecimalText),
});
export type UsageSum = Static<typeof UsageSum>;

/** GET /api/my/summary: the running month of the whole tenant. */
export const UsageSummary = Type.Object({
  timezone: Type.String(),
  currency: Type.String(),
  tenantName: Type.String(),
  /** YYYY-MM of the site. */
  month: Type.String(),
  from: Instant,
  until: Instant,
  items: Type.Array(
    Type.Object({
      commodity: Commodity,
      unit: Type.String(),
      ...UsageSum.properties,
      /** The same span of last month; null when the tenant held nothing then. */
      lastMonth: Nullable(UsageSum),
      /** Part of the quarter hours of the span (and of its usage points) whose use is known: 0..1. */
      completeness: Type.Number({ minimum: 0, maximum: 1 }),
    }),
  ),
  costKind: CostKind,
  /** Of electricity. */
  tariff: Nullable(TariffName),
  /** Electricity of all usage points by hour since the site's midnight. */
  today: Type.Array(UsageItem),
});
export type UsageSummary = Static<typeof UsageSummary>;
