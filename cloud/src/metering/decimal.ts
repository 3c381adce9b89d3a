/** A decimal fraction as written: 12.30 is { units: 1230n, scale: 2 }. Money and energy never pass through a float. */
export interface Decimal {
  readonly units: bigint;
  /** Digits after the point, 0..60. */
  readonly scale: number;
}

const PATTERN = /^([+-]?)(\d{1,60})(?:\.(\d{1,60}))?(?:[eE]([+-]?\d{1,2}))?$/;

/** Reads '-0.0075', '40' or JSON's '1.5e2'. @returns undefined for anything else. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = PATTERN.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', part = '', exponent = '0'] = match;
  const magnitude = BigInt(whole + part);
  const scale = part.length - Number(exponent);
  const units = sign === '-' ? -magnitude : magnitude;
  if (scale < 0) return { units: units * pow10(-scale), scale: 0 };
  return scale > 60 ? undefined : { units, scale };
}

export function pow10(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

/** The shortest spelling of the same value: 1.50 becomes { 15n, 1 }. */
export function trimDecimal({ units, scale }: Decimal): Decimal {
  let [left, digits] = [units, scale];
  while (digits > 0 && left % 10n === 0n) [left, digits] = [left / 10n, digits - 1];
  return { units: left, scale: digits };
}

/** The whole number of 10^-scale steps in `value`. @returns undefined when it has finer digits than that. */
export function toUnits(value: Decimal, scale: number): bigint | undefined {
  const { units, scale: digits } = trimDecimal(value);
  return digits > scale ? undefined : units * pow10(scale - digits);
}

/** Divides and rounds half away from zero (commercial HALF_UP). `denominator` must be positive. */
export function divideHalfUp(numerator: bigint, denominator: bigint): bigint {
  const magnitude = numerator < 0n ? -numerator : numerator;
  const rounded = (2n * magnitude + denominator) / (2n * denominator);
  return numerator < 0n ? -rounded : rounded;
}

/** Prints `units` x 10^-scale exactly, with at least `minDigits` after the point. */
export function formatUnits(units: bigint, scale: number, minDigits: number = scale): string {
  const magnitude = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const whole = magnitude.slice(0, magnitude.length - scale);
  const part = magnitude
    .slice(magnitude.length - scale)
    .replace(/0+$/, '')
    .padEnd(minDigits, '0');
  return `${units < 0n ? '-' : ''}${whole}${part && '.'}${part}`;
}
