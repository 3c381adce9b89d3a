import { apportion, type UseSpan } from '../metering/index.ts';
import { priceLines, totalCents } from './price.ts';
import type { PriceAt } from './price-list.ts';
import type { Rate } from './schedule.ts';

const QUARTER_MS = 900_000;

/**
 * Cost in cents of what flowed in `spans` (in order, in steps of 10^-scale), by the law of rounding: HALF_UP(quantity x price)
 * once per price. What flowed over a silence is spread evenly over it. Undefined when there is nothing, or a quarter hour
 * without a price.
 */
export function costOf(spans: readonly UseSpan[], scale: number, priceAt: PriceAt): bigint | undefined {
  const sums = new Map<Rate, bigint>();
  for (const span of spans) {
    const starts = quartersOf(span);
    const rates = starts.map(priceAt);
    const parts = apportion(
      span.units,
      starts.map((start, i) => BigInt(endOf(starts, i, span) - start)),
    );
    for (const [i, rate] of rates.entries()) {
      if (!rate) return undefined;
      sums.set(rate, (sums.get(rate) ?? 0n) + parts[i]!);
    }
  }
  return spans.length === 0 ? undefined : totalCents(priceLines(sums, scale));
}

const endOf = (starts: readonly number[], i: number, { ends }: UseSpan): number => starts[i + 1] ?? ends;

/** Where the quarter hours that a span touches start; the first one where the span itself does. */
function quartersOf({ begins, ends }: UseSpan): number[] {
  const starts = [begins];
  for (let at = (Math.floor(begins / QUARTER_MS) + 1) * QUARTER_MS; at < ends; at += QUARTER_MS)
    starts.push(at);
  return starts;
}
