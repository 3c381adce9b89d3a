import type { Quality } from '@parkline/contract';

/** What a device may say in place of a measurement. All in raw values, before scaling. */
export interface Limits {
  /** Values that mean "no measurement": 0x7fff, -32768, 9999. */
  readonly sentinels?: readonly number[];
  /** A raw value outside [min, max] is impossible for the quantity. */
  readonly min?: number;
  readonly max?: number;
}

export type Verdict =
  { readonly quality: 'good' } | { readonly quality: Exclude<Quality, 'good'>; readonly why: string };

const good: Verdict = { quality: 'good' };
const bad = (why: string): Verdict => ({ quality: 'bad', why });

/** Whether a raw value is a measurement at all. */
export function judge(
  raw: number,
  { sentinels = [], min = -Infinity, max = Infinity }: Limits = {},
): Verdict {
  if (Number.isNaN(raw)) return bad('NaN');
  if (!Number.isFinite(raw)) return bad('infinite');
  if (sentinels.includes(raw)) return bad(`${raw} means no measurement`);
  if (raw < min || raw > max) return bad(`${raw} is outside ${min}..${max}`);
  return good;
}

/** The engineering value of a raw one, without the noise of binary fractions: 2301 x 0.1 is 230.1. */
export function scaled(raw: number, scale: number): number {
  if (scale === 1) return raw;
  const parts = partsOf(scale);
  // Of whole numbers all 16 digits: a quotient is the nearest double there is, a product with 0.001 is not.
  if (parts !== undefined && Number.isInteger(raw)) return raw / parts + 0;
  return tidy(raw * scale);
}

/** 1000 for 0.001: what a whole number is divided by instead. */
function partsOf(scale: number): number | undefined {
  const parts = Math.round(1 / scale);
  return 1 / parts === scale ? parts : undefined;
}

/** Without the noise of binary fractions; whole numbers as they are, and -0 as 0. */
const tidy = (number: number): number =>
  Number.isInteger(number) ? number + 0 : Number(number.toPrecision(15));

/** How a point's engineering value follows from the raw one. */
export interface Scaling {
  readonly scale: number;
  readonly offset?: number;
}

/** The engineering value of a raw one: raw x scale + offset. */
export function engineering(raw: number, { scale, offset = 0 }: Scaling): number {
  const value = scaled(raw, scale);
  return offset === 0 ? value : tidy(value + offset);
}

/** The raw value that shows as `value`: the inverse of {@link engineering}, without the noise of binary fractions. */
export function rawOf(value: number, { scale, offset = 0 }: Scaling): number {
  if (scale === 1 && offset === 0) return value; // All 16 digits of it.
  const parts = partsOf(scale);
  const shifted = offset === 0 ? value : tidy(value - offset);
  return tidy(parts === undefined ? shifted / scale : shifted * parts);
}
