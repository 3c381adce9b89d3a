import { type Decimal, divideHalfUp, pow10, toUnits } from '../metering/index.ts';

/** A price up to a monthly limit (m3, kWh); the last step has none. */
export interface Step {
  readonly upTo: Decimal | null;
  readonly price: Decimal;
}

export interface PricedStep {
  /** Hundredths of the unit at which the step ends, after pro-rating; null for the last. */
  readonly limit: bigint | null;
  /** Hundredths of the unit. */
  readonly quantity: bigint;
  readonly cents: bigint;
}

/**
 * Prices a quantity by rising steps (water, residential power). A tenant of part of the period gets limits in
 * proportion to the days, rounded HALF_UP to 0.01 before use; each step is rounded to the cent by itself.
 * @throws RangeError when the quantity is finer than 0.01 or negative, the steps do not rise, or the days do not fit.
 */
export function priceSteps(
  quantity: Decimal,
  steps: readonly Step[],
  occupiedDays: number,
  periodDays: number,
): { readonly steps: readonly PricedStep[]; readonly total: bigint } {
  const all = toUnits(quantity, 2);
  if (all === undefined || all < 0n) throw new RangeError('a stepped quantity is hundredths, not negative');
  if (!(occupiedDays >= 0 && occupiedDays <= periodDays && periodDays > 0))
    throw new RangeError(`${occupiedDays} of ${periodDays} days`);
  let below = 0n;
  const priced = steps.map(({ upTo, price }, index): PricedStep => {
    const last = index === steps.length - 1;
    if ((upTo === null) !== last) throw new RangeError('the last step, and only it, has no limit');
    const limit = upTo && proRate(upTo, occupiedDays, periodDays);
    if (limit !== null && limit < below) throw new RangeError('the limits of the steps must rise');
    const end = limit === null || limit > all ? all : limit;
    const part = end > below ? end - below : 0n;
    below = limit ?? below;
    return { limit, quantity: part, cents: divideHalfUp(part * price.units, pow10(price.scale)) };
  });
  return { steps: priced, total: priced.reduce((sum, { cents }) => sum + cents, 0n) };
}

function proRate(limit: Decimal, occupiedDays: number, periodDays: number): bigint {
  return divideHalfUp(limit.units * BigInt(occupiedDays) * 100n, BigInt(periodDays) * pow10(limit.scale));
}
