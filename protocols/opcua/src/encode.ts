import { MAX_EXACT_COUNT } from '@parkline/contract/exact';
import { engineering, type PointRef, rawOf, scaled } from '@parkline/kit';
import { shortestFloat32 } from './value.ts';

/** A value as a variable of its type takes it; 64-bit integers are [high word, low word]. */
export interface Encoded {
  /** Name of the built-in type. */
  readonly type: string;
  readonly value: number | boolean | readonly [high: number, low: number];
}

export type Encoding =
  { readonly ok: true; readonly encoded: Encoded } | { readonly ok: false; readonly why: string };

/** Least and greatest of each whole type (OPC 10000-6 clause 5.1.2). */
const wholes: Readonly<Record<string, readonly [number, number]>> = {
  SByte: [-0x80, 0x7f],
  Byte: [0, 0xff],
  Int16: [-0x8000, 0x7fff],
  UInt16: [0, 0xffff],
  Int32: [-0x8000_0000, 0x7fff_ffff],
  UInt32: [0, 0xffff_ffff],
  Int64: [-MAX_EXACT_COUNT, MAX_EXACT_COUNT],
  UInt64: [0, MAX_EXACT_COUNT],
};

/**
 * What must be written so that a read shows exactly `value` (engineering unit). Nothing is rounded: a value that a variable of
 * `type` cannot hold is refused. A Float holds the decimals that its reading shows.
 */
export function encode(value: number, type: string, ref: PointRef): Encoding {
  const fail = (why: string): Encoding => ({ ok: false, why });
  if (!Number.isFinite(value)) return fail(`${value} is no value`);
  const raw = rawFor(value + 0, ref); // -0 is 0.
  if (shownAs(raw, ref) !== value)
    return fail(`${value} is not a whole multiple of what the variable counts in`);
  const ok = (encoded: Encoded['value']): Encoding => ({ ok: true, encoded: { type, value: encoded } });
  if (type === 'Boolean')
    return raw === 0 || raw === 1 ? ok(raw === 1) : fail(`a Boolean is 0 or 1, not ${raw}`);
  if (type === 'Double') return ok(raw);
  if (type === 'Float') {
    const float = Math.fround(raw);
    return shortestFloat32(float) === raw ? ok(float) : fail(`a Float cannot hold ${raw} exactly`);
  }
  const range = Object.hasOwn(wholes, type) ? wholes[type] : undefined;
  if (!range) return fail(`a ${type} cannot be written`);
  if (!Number.isInteger(raw)) return fail(`${raw} is no whole number, and the variable is of type ${type}`);
  if (raw < range[0] || raw > range[1]) return fail(`${raw} is outside ${range.join('..')} of type ${type}`);
  return ok(type.endsWith('64') ? wordsOf(raw) : raw + 0);
}

/** A register is whole counts and has no offset. */
function rawFor(value: number, { kind, scale, offset = 0 }: PointRef): number {
  const shift = kind === 'register' ? 0 : offset;
  return scale === 1 && shift === 0 ? value : rawOf(value, { scale, offset: shift });
}

const shownAs = (raw: number, ref: PointRef): number =>
  ref.kind === 'register' ? scaled(raw, ref.scale) : engineering(raw, ref);

/** Two's complement in two unsigned words. */
function wordsOf(whole: number): readonly [number, number] {
  const bits = BigInt.asUintN(64, BigInt(whole));
  return [Number(bits >> 32n), Number(bits & 0xffff_ffffn)];
}
