import { formatLocal, formatUnits, startOf } from '../metering/index.ts';
import { divideHalfUp, pow10 } from '../metering/index.ts';
import type { BillingRun, Statement } from './run.ts';

/** Cents as '12.30'. */
export function formatCents(cents: bigint): string {
  return formatUnits(cents, 2);
}

/** Energy as '154.40': two digits, half up, as a bill prints it. */
export function formatEnergy(energy: bigint, energyScale: number): string {
  return formatUnits(divideHalfUp(energy, pow10(energyScale - 2)), 2);
}

/** Energy with every digit that it has, at least two. */
export function exactEnergy(energy: bigint, energyScale: number): string {
  return formatUnits(energy, energyScale, 2);
}

export interface RunJson {
  readonly supply: Readonly<Record<string, string>>;
  readonly statements: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly vee?: Readonly<Record<string, readonly VeeRow[]>>;
}

/** An interval that is not plainly measured. */
export interface VeeRow {
  /** Local time with offset. */
  readonly start: string;
  /** Exact, at least two digits. */
  readonly kwh: string;
  readonly quality: string;
  readonly rule: string;
}

/** The run as a program reads it: every amount is text with two digits, because JSON numbers are floats. */
export function presentRun(run: BillingRun, withVee: boolean): RunJson {
  const { supply, statements, consumption } = run;
  return {
    supply: {
      energy: formatCents(supply.energy),
      demand: formatCents(supply.demand),
      power_factor: formatCents(supply.powerFactor),
      total: formatCents(supply.total),
    },
    statements: Object.fromEntries(
      statements.map((statement) => [
        statement.participant,
        presentStatement(statement, consumption.energyScale),
      ]),
    ),
    ...(withVee && { vee: presentVee(run) }),
  };
}

/** `vat13` is the statement's word for the tax, whatever the rate. */
function presentStatement(statement: Statement, energyScale: number): Record<string, string> {
  return {
    direct_kwh: formatEnergy(statement.directEnergy, energyScale),
    direct: formatCents(statement.direct),
    ...Object.fromEntries(statement.pools.map(({ pool, cents }) => [pool, formatCents(cents)])),
    ...(statement.rounding !== null && { rounding: formatCents(statement.rounding) }),
    total: formatCents(statement.total),
    net: formatCents(statement.net),
    vat13: formatCents(statement.vat),
  };
}

/** By usage point, in time order; points that were measured throughout have no entry. */
export function presentVee({ consumption }: BillingRun): Record<string, VeeRow[]> {
  const { points, grid, billed, energyScale } = consumption;
  const rows = points.map(({ usagePoint, through, quality, rule }): [string, VeeRow[]] => {
    const found: VeeRow[] = [];
    for (let k = billed.first; k < billed.last; k += 1) {
      if (!rule[k]) continue;
      const kwh = formatUnits(through[k]!, energyScale, 2);
      found.push({
        start: formatLocal(startOf(grid, k), grid.timezone),
        kwh,
        quality: quality[k] ?? '',
        rule: rule[k]!,
      });
    }
    return [usagePoint.id, found];
  });
  return Object.fromEntries(rows.filter(([, found]) => found.length > 0));
}
