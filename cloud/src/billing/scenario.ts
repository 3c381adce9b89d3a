import type { Calendar, DayType, Decimal } from '../metering/index.ts';

/** Everything one billing run is computed from, but the registers. Instants are Unix ms. */
export interface Scenario {
  readonly siteName: string;
  readonly currency: string;
  readonly calendar: Calendar;
  readonly period: Period;
  readonly usagePoints: readonly UsagePoint[];
  readonly meters: readonly Meter[];
  readonly installations: readonly Installed[];
  readonly spaces: readonly Space[];
  readonly leases: readonly Lease[];
  /** The participant that stands for vacant space and takes the rounding line. */
  readonly landlord: string;
  /** Every participant once; breaks ties between equal remainders. */
  readonly participants: readonly string[];
  readonly tariff: Tariff;
  readonly allocation: readonly AllocationRule[];
}

export interface Period {
  /** Local dates; `to` is exclusive. */
  readonly from: string;
  readonly to: string;
  readonly start: number;
  readonly end: number;
  readonly intervalMs: number;
}

export interface UsagePoint {
  readonly id: string;
  readonly role: 'supply' | 'direct' | 'common';
  /** null for the supply. */
  readonly parent: string | null;
  /** null unless direct. */
  readonly space: string | null;
}

/** A register as displayed: digits before and decimals after the point. */
export interface Meter {
  readonly id: string;
  readonly digits: number;
  readonly decimals: number;
}

export interface Installed {
  readonly meter: string;
  readonly usagePoint: string;
  readonly multiplier: Decimal;
  readonly maxCountsPerInterval: number;
  readonly from: number;
  readonly to: number | null;
  readonly startIndex: Decimal | null;
  readonly finalIndex: Decimal | null;
  /** An export register counts against the usage point's import. */
  readonly direction: 'import' | 'export';
}

export interface Space {
  readonly id: string;
  readonly area: Decimal;
}

export interface Lease {
  readonly tenant: string;
  readonly space: string;
  readonly headcount: number;
  readonly from: number;
  readonly to: number | null;
}

export interface Tariff {
  readonly vatRate: Decimal;
  /** By ascending `from`. */
  readonly versions: readonly TariffVersion[];
  /** The first that matches wins. */
  readonly bands: readonly BandRule[];
  /** Per kW of the highest interval mean, or per kVA of the contract. */
  readonly capacityCharge: DemandCharge | null;
  /** Part of energy plus demand; negative is a credit. */
  readonly powerFactorRate: Decimal | null;
}

export type DemandCharge =
  | { readonly kind: 'demand'; readonly price: Decimal }
  | { readonly kind: 'capacity'; readonly price: Decimal; readonly kva: Decimal };

export interface TariffVersion {
  readonly id: string;
  readonly from: number;
  /** Per kWh, by band. */
  readonly prices: ReadonlyMap<string, Decimal>;
}

export interface BandRule {
  readonly band: string;
  readonly days: readonly DayType[];
  /** 1..12; all when empty. */
  readonly months: readonly number[];
  /** Minutes of the local day; a rule with from >= to runs over midnight. */
  readonly from: number;
  readonly to: number;
}

export const BASES = [
  'area_days',
  'head_days',
  'metered',
  'direct_kwh',
  'coincident_kw',
  'equal',
  'fixed_percent',
  'mixed',
] as const;
export type Basis = (typeof BASES)[number];

export interface AllocationRule {
  readonly pool: string;
  readonly share: ShareRule;
}

export interface ShareRule {
  readonly basis: Basis;
  /** Who carries what belongs to vacant space: the landlord, or all others in proportion. */
  readonly vacancy: 'landlord' | 'redistribute';
  /** Counts only space whose lease has heads. */
  readonly occupiedOnly: boolean;
  /** For metered and fixed_percent. */
  readonly weights: ReadonlyMap<string, Decimal> | null;
  /** For mixed: percentages that add up to 100. */
  readonly parts: readonly { readonly percent: Decimal; readonly share: ShareRule }[];
}

/** Pools that are not a common usage point. */
export const COMPUTED_POOLS = ['loss', 'demand', 'power_factor'] as const;

/** Keys of a statement that no pool may be called. */
export const RESERVED = ['direct_kwh', 'direct', 'rounding', 'total', 'net', 'vat13'] as const;
