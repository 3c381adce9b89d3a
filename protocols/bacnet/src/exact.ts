import type { ObjectId } from './address.ts';
import { tags } from './tags.ts';
import { shortestFloat32 } from './value.ts';

/** Present values of binary objects are 0 or 1: input, output, value. */
const BINARY_TYPES = [3, 4, 5];
const RANGES: Readonly<Record<number, readonly [least: number, most: number]>> = {
  [tags.boolean]: [0, 1],
  [tags.unsigned]: [0, 2 ** 32 - 1],
  [tags.enumerated]: [0, 2 ** 32 - 1],
  [tags.signed]: [-(2 ** 31), 2 ** 31 - 1],
};
const MAX_FLOAT32 = 3.402_823_466_385_288_6e38;

/**
 * The number as a value of the type holds it, or why it cannot. A Real is a float32: 21.4 counts as held exactly, because 21.4 is
 * the shortest decimal of the float32 next to it and comes back as 21.4; 16777217 does not, nor do more digits than it has.
 */
export function exactly(raw: number, type: number, { type: objectType }: ObjectId): { raw: number } | string {
  if (!Number.isFinite(raw)) return 'is no number';
  if (type === tags.double) return { raw };
  if (type === tags.real) {
    if (Math.abs(raw) > MAX_FLOAT32) return 'is beyond what a Real holds';
    const near = shortestFloat32(Math.fround(raw));
    return near === raw ? { raw: near } : `a Real (32-bit float) would hold ${near} in its place`;
  }
  const range = RANGES[type];
  if (!range) return 'the object holds no number';
  const [least, most] = type === tags.enumerated && BINARY_TYPES.includes(objectType) ? [0, 1] : range;
  if (!Number.isInteger(raw)) return `the object holds whole numbers, and this is ${raw}`;
  return raw >= least && raw <= most ? { raw } : `${raw} is outside ${least}..${most}`;
}
