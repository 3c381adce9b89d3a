import type { Consumption } from './consumption.ts';
import { formatCents } from './present.ts';

// What finance looks at before a run is locked. The limits are explained in docs/billing.md.

/** A loss outside -1 % .. +6 % of the supply says that a multiplier is wrong or a meter is missing. */
export const isOddLoss = (loss: bigint, supply: bigint): boolean =>
  loss * 100n < -supply || loss * 100n > supply * 6n;

/** More than 5 % of a bill. */
export const isMuchEstimated = (estimated: bigint, whole: bigint): boolean => estimated * 20n > whole;

/** An estimate of more hours in one piece needs somebody's approval. */
export const APPROVAL_HOURS = 24;

/** Energy that the supply brought in the period. */
export const sumSupply = ({ points, billed }: Consumption): bigint =>
  points
    .find(({ usagePoint }) => usagePoint.role === 'supply')!
    .through.slice(billed.first, billed.last)
    .reduce((sum, energy) => sum + energy, 0n);

/** Intervals of the longest unbroken estimate. */
export function longestEstimate(quality: readonly (string | undefined)[]): number {
  let [longest, current] = [0, 0];
  for (const each of quality) {
    current = each === 'E' ? current + 1 : 0;
    longest = Math.max(longest, current);
  }
  return longest;
}

/** '2.91 %', cut off after two digits; '-' of nothing. */
export function partOf(part: bigint, whole: bigint): string {
  if (whole === 0n) return '-';
  return `${formatCents((part * 10_000n) / whole)} %`;
}
