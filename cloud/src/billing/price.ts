import { divideHalfUp, pow10, type Span } from '../metering/index.ts';
import type { Rate } from './schedule.ts';

/** A priced quantity: the smallest piece of a bill that a calculator can check. */
export interface Line {
  readonly rate: Rate;
  /** In steps of the run's energy scale. */
  readonly energy: bigint;
  /** HALF_UP(kWh x price). */
  readonly cents: bigint;
}

/** Energy by rate. `rates` starts at the first billed interval, `energy` at the first of the grid. */
export function sumByRate(
  energy: readonly bigint[],
  rates: readonly Rate[],
  { first }: Span,
): Map<Rate, bigint> {
  const sums = new Map<Rate, bigint>();
  rates.forEach((rate, k) => sums.set(rate, (sums.get(rate) ?? 0n) + energy[first + k]!));
  return sums;
}

/** One line per rate at which energy flowed, in the order of first use. */
export function priceLines(sums: ReadonlyMap<Rate, bigint>, energyScale: number): Line[] {
  return [...sums]
    .filter(([, energy]) => energy !== 0n)
    .map(([rate, energy]) => ({
      rate,
      energy,
      cents: divideHalfUp(energy * rate.price.units, pow10(energyScale + rate.price.scale - 2)),
    }));
}

export function totalCents(lines: readonly { readonly cents: bigint }[]): bigint {
  return lines.reduce((sum, { cents }) => sum + cents, 0n);
}
