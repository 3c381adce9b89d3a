import type { BillingCheck, IntervalQuality, StatementLineKind } from '@parkline/contract';
import type { Static } from 'typebox';
import { judgeRun } from './checks.ts';
import { recordIntervals } from './record-intervals.ts';
import { recordLines } from './record-lines.ts';
import { formatCents, formatEnergy } from './present.ts';
import type { Simulation } from './simulate.ts';
import { sumSupply } from './judge.ts';

/** A run as it is kept: every amount as the text that is printed, every line with the intervals behind it. */
export interface RunRecord {
  readonly siteName: string;
  readonly timezone: string;
  readonly currency: string;
  /** Local days; `to` exclusive. */
  readonly period: { readonly from: string; readonly to: string };
  readonly intervalMs: number;
  readonly supply: Readonly<Record<'kwh' | 'energy' | 'demand' | 'powerFactor' | 'total', string>>;
  readonly checks: readonly CheckRecord[];
  readonly statements: readonly StatementRecord[];
  readonly intervals: readonly IntervalRecord[];
}

/** A check with the figures of its sentence, so that it can be said in any language. */
export interface CheckRecord {
  readonly key: BillingCheck['key'];
  readonly ok: boolean;
  readonly facts: Readonly<Record<string, string>>;
}

export interface StatementRecord {
  readonly party: string;
  readonly kind: 'tenant' | 'landlord';
  readonly kwh: string;
  readonly estimatedKwh: string;
  readonly net: string;
  readonly tax: string;
  readonly total: string;
  readonly lines: readonly LineRecord[];
}

export interface LineRecord {
  readonly kind: Static<typeof StatementLineKind>;
  readonly quantity: string | null;
  readonly unit: string | null;
  readonly price: string | null;
  readonly amount: string;
  readonly formula: string;
  readonly pool: string | null;
  readonly poolTotal: string | null;
  readonly poolLines: readonly PoolLineRecord[];
  readonly usagePoints: readonly string[];
  readonly meters: readonly string[];
  /** Null picks the intervals of every band (version, party, instant). */
  readonly band: string | null;
  readonly tariffVersion: string | null;
  readonly intervalParty: string | null;
  /** Unix ms. */
  readonly intervalAt: number | null;
  readonly intervals: number;
  readonly weight: string | null;
  readonly weightSum: string | null;
}

export interface PoolLineRecord {
  readonly band: string;
  readonly tariffVersion: string;
  readonly quantity: string;
  readonly price: string;
  readonly amount: string;
}

export interface IntervalRecord {
  readonly usagePoint: string;
  /** Unix ms. */
  readonly at: number;
  readonly party: string | null;
  readonly energy: string;
  readonly through: string;
  readonly quality: Static<typeof IntervalQuality>;
  readonly rule: string | null;
  readonly band: string;
  readonly tariffVersion: string;
  readonly registers: readonly RegisterRecord[];
}

/** An export register has a negative multiplier: what it counts is taken off. */
export interface RegisterRecord {
  readonly meter: string;
  readonly multiplier: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** Pure: what a simulation leaves behind in the books. */
export function recordRun(simulation: Simulation): RunRecord {
  const { scenario, run } = simulation;
  const { supply, consumption } = run;
  const kwh = (energy: bigint): string => formatEnergy(energy, consumption.energyScale);
  const intervals = recordIntervals(simulation);
  const linesOf = recordLines(simulation, intervals);
  return {
    siteName: scenario.siteName,
    timezone: scenario.calendar.timezone,
    currency: scenario.currency,
    period: { from: scenario.period.from, to: scenario.period.to },
    intervalMs: scenario.period.intervalMs,
    supply: {
      kwh: kwh(sumSupply(consumption)),
      energy: formatCents(supply.energy),
      demand: formatCents(supply.demand),
      powerFactor: formatCents(supply.powerFactor),
      total: formatCents(supply.total),
    },
    checks: judgeRun(run),
    statements: run.statements.map((statement) => ({
      party: statement.participant,
      kind: statement.participant === scenario.landlord ? 'landlord' : 'tenant',
      kwh: kwh(statement.directEnergy),
      estimatedKwh: kwh(statement.estimatedEnergy),
      net: formatCents(statement.net),
      tax: formatCents(statement.vat),
      total: formatCents(statement.total),
      lines: linesOf(statement),
    })),
    intervals,
  };
}
