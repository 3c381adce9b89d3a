import type { CheckedReading, CommissioningState, RatioApplied } from '@parkline/contract';

/** Telemetry must agree within this part of the value. */
export const TOLERANCE = 0.005;
/** A sample that lies further from the moment of the reading than this says nothing of it, ms; a slow point has more time. */
export const NEAR_MS = 15 * 60_000;

/** What was read from the display. */
export interface DisplayRead {
  readonly display: string;
  readonly at: Date;
}

export interface Ratio {
  readonly ct: number;
  readonly pt: number;
  readonly applied: RatioApplied;
}

/** One stored sample in the unit of the point; `isGood` is false for what is uncertain, bad or of a doubtful time. */
export interface Sampled {
  readonly at: number;
  readonly value: number | null;
  readonly isGood: boolean;
}

/** What one unit of the display is in the unit of telemetry. Pure. */
export const displayFactor = ({ ct, pt, applied }: Ratio): number => (applied === 'telemetry' ? ct * pt : 1);

/** How far a register may lie from what its display shows: a whole last digit, because a display may cut off. */
export const digitOf = (display: string): number => {
  const point = display.indexOf('.');
  return point < 0 ? 1 : 10 ** -(display.length - point - 1);
};

/**
 * Sets a display reading beside telemetry: the straight line between the good samples before and after it (or the one at it),
 * against display x ratio; they agree within 0.5 %. Where they are further apart and yet no further than one digit of the display,
 * the display is too coarse to prove anything. Pure.
 * @param nearMs How far a sample may lie from the reading.
 */
export function checkReading(
  { display, at }: DisplayRead,
  ratio: Ratio,
  samples: readonly Sampled[],
  { now, nearMs }: { now: Date; nearMs: number },
): CheckedReading {
  const base = { display, at: at.toISOString() };
  const factor = displayFactor(ratio);
  const expected = Number(display) * factor;
  const found = valueAt(samples, at.getTime());
  if (found === undefined) {
    const isEarly = now.getTime() < at.getTime() + nearMs;
    const isSpoilt = samples.length > 0 && samples.every(({ isGood }) => !isGood);
    return {
      ...{ ...base, expected, telemetry: null, difference: null, allowed: null, result: 'unknown' },
      reason: isSpoilt ? 'quality' : isEarly ? 'early' : 'no_telemetry',
    };
  }
  const allowed = TOLERANCE * Math.abs(expected);
  const difference = found - expected;
  // What doubles round away must not fail a meter that is right at the edge.
  const isWithin = (most: number): boolean =>
    Math.abs(difference) <= most + 1e-9 * Math.max(1, Math.abs(expected));
  const isCoarse = !isWithin(allowed) && isWithin(digitOf(display) * factor);
  const rounded = (value: number): number => Number(value.toPrecision(12));
  return {
    ...{ ...base, expected: rounded(expected), telemetry: rounded(found), difference: rounded(difference) },
    ...{ allowed: rounded(allowed), reason: isCoarse ? 'coarse' : null },
    result: isCoarse ? 'unknown' : isWithin(allowed) ? 'agrees' : 'differs',
  };
}

/** @param samples In order of time. */
function valueAt(samples: readonly Sampled[], at: number): number | undefined {
  const good = samples.filter((one) => one.isGood && one.value !== null);
  const before = good.findLast((one) => one.at <= at);
  const after = good.find((one) => one.at >= at);
  if (!before || !after) return undefined;
  if (after.at === before.at) return before.value!;
  return before.value! + ((after.value! - before.value!) * (at - before.at)) / (after.at - before.at);
}

/** What metering has to multiply the register by; 6 decimals. Pure. */
export const multiplierOf = ({ ct, pt, applied }: Ratio): number =>
  applied === 'billing' ? Number((ct * pt).toFixed(6)) : 1;

/**
 * Whether the ratio is in exactly once: metering must multiply by it when nothing before does, and by 1 when something does. A
 * register that belongs to no usage point is billed by nobody. Pure.
 */
export function ratioFault(
  ratio: Ratio,
  multiplier: number | undefined,
): 'applied_twice' | 'not_applied' | null {
  if (multiplier === undefined) return null;
  const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));
  const right = multiplierOf(ratio);
  if (isNear(multiplier, right)) return null;
  return ratio.applied === 'billing' && multiplier < right ? 'not_applied' : 'applied_twice';
}

/** All readings must agree and the ratio be in once; as long as one cannot be judged and none differs, it stays open. Pure. */
export function stateOf(
  checks: readonly CheckedReading[],
  fault: 'applied_twice' | 'not_applied' | null,
): Exclude<CommissioningState, 'waived'> {
  if (checks.length === 0) return 'open';
  if (fault !== null || checks.some(({ result }) => result === 'differs')) return 'failed';
  return checks.every(({ result }) => result === 'agrees') ? 'passed' : 'open';
}
