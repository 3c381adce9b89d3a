import { MAX_EXACT_COUNT } from '@parkline/contract/exact';
import { engineering, judge, type PointRef, type Sample, scaled } from '@parkline/kit';
import { type PropertyValue, tags } from './tags.ts';

/** Status flags of an object, clause 12: bits of the flags. */
export interface Flags {
  readonly isFault: boolean;
  /** The value no longer follows the field: held by hand at the controller, or out of service. */
  readonly detached?: 'overridden' | 'out of service';
}

export type Verdict = Pick<Sample, 'value' | 'quality' | 'why'>;

const bad = (why: string): Verdict => ({ value: null, quality: 'bad', why });

/** What a property's value means for a point. @param reliability Why there is a fault, where it is known. */
export function verdictOf(
  values: readonly PropertyValue[],
  ref: PointRef,
  flags?: Flags,
  reliability?: number,
): Verdict {
  const [first, ...more] = values;
  if (!first || more.length > 0) return bad(first ? 'a list is no number' : 'no value');
  const raw = numberOf(first);
  if (typeof raw === 'string') return bad(raw);
  if (flags?.isFault) return bad(reliability ? `fault: ${reliabilityWords(reliability)}` : 'fault');
  const judged = judge(raw, ref.limits);
  if (judged.quality !== 'good') return bad(judged.why);
  const isCounted = first.type === tags.unsigned || first.type === tags.signed;
  if (isCounted && !Number.isSafeInteger(raw)) return bad('above 2^53');
  const counts = shownOf(raw, ref);
  if (ref.kind === 'register' && Math.abs(counts) > MAX_EXACT_COUNT) return bad('above 2^53');
  return flags?.detached
    ? { value: counts, quality: 'uncertain', why: flags.detached }
    : { value: counts, quality: 'good' };
}

/** The engineering value of a raw one; a register in whole counts, which no offset shifts. */
export const shownOf = (raw: number, ref: PointRef): number =>
  ref.kind === 'register' ? Math.round(scaled(raw, ref.scale)) : engineering(raw, ref);

/** The number of a value, or why it is none. */
export function numberOf({ type, value }: PropertyValue): number | string {
  switch (type) {
    case tags.real:
      return shortestFloat32(Number(value));
    case tags.unsigned:
    case tags.signed:
    case tags.double:
    case tags.enumerated:
      return typeof value === 'number' ? value : 'not a number';
    case tags.boolean:
      return value === true ? 1 : 0;
    case tags.null:
      return 'no value';
    default:
      return 'not a number';
  }
}

/** The flags out of the value of status-flags; undefined when it is no bit string. */
export function flagsOf(values: readonly PropertyValue[] | undefined): Flags | undefined {
  const first = values?.[0];
  if (first?.type !== tags.bits) return undefined;
  const [, isFault = false, isOverridden = false, isOut = false] = first.value as readonly boolean[];
  const detached = isOut ? 'out of service' : isOverridden ? 'overridden' : undefined;
  return { isFault, ...(detached ? { detached } : {}) };
}

const reliabilities: Readonly<Record<number, string>> = {
  1: 'no sensor',
  2: 'over range',
  3: 'under range',
  4: 'open loop',
  5: 'shorted loop',
  6: 'no output',
  7: 'unreliable',
  8: 'process error',
  9: 'multi-state fault',
  10: 'configuration error',
  12: 'communication failure',
  13: 'member fault',
};
const reliabilityWords = (code: number): string => reliabilities[code] ?? `reliability ${code}`;

/** The shortest decimal that is this float32: 21.4, not 21.399999618530273. A float32 has 6 to 9 significant digits. */
export function shortestFloat32(float: number): number {
  if (Number.isInteger(float) || !Number.isFinite(float)) return float;
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return Number(float.toPrecision(9));
}
