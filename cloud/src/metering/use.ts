import type { Quality as SampleQuality } from '@parkline/contract';
import { type Decimal, pow10, trimDecimal } from './decimal.ts';

/** What flowed between two registers that are known. Times are Unix ms, `ends` exclusive. */
export interface UseSpan {
  readonly begins: number;
  readonly ends: number;
  /** In steps of 10^-scale of the unit; never negative. */
  readonly units: bigint;
  /** The register fell in between, and was taken to have passed its last digit. */
  readonly isRollover?: boolean;
}

/** The use of one usage point as far as it is known, in order of time; spans never overlap. */
export interface Use {
  readonly scale: number;
  readonly spans: readonly UseSpan[];
}

/** Spans as counts of a register, each with what one count of it is worth. */
export interface CountedSpan {
  readonly begins: number;
  readonly ends: number;
  /** Whole; negative where the register fell and nobody wrote down why. */
  readonly counts: number;
  readonly rolledOver: boolean;
  /** Of one count, in the register's unit. */
  readonly resolution: Decimal;
  readonly multiplier: Decimal;
}

/** Brings the spans of all meters of a usage point to one scale, exactly; a fall that nothing explains is a hole. */
export function toUse(spans: readonly CountedSpan[]): Use {
  const worth = spans.map(({ resolution, multiplier }) =>
    trimDecimal({
      units: resolution.units * multiplier.units,
      scale: resolution.scale + multiplier.scale,
    }),
  );
  const scale = Math.max(2, ...worth.map((one) => one.scale));
  return {
    scale,
    spans: settleFalls(
      spans.map(({ begins, ends, counts, rolledOver }, i) => {
        const { units, scale: own } = worth[i]!;
        const span = { begins, ends, units: BigInt(counts) * units * pow10(scale - own) };
        return rolledOver ? { ...span, isRollover: true } : span;
      }),
    ),
  };
}

/** A wild reading is over by then; a fall that lasts is an exchange or a reset that nobody wrote down. */
const WILD_MS = 86_400_000;

/**
 * Joins a fall with as few of the spans before or after it as make up for it: between them the register showed a wild value,
 * and the sum is right. A fall that nothing makes up for within a day is left out: what flowed there is not known. Pure.
 */
function settleFalls(spans: readonly UseSpan[]): UseSpan[] {
  const settled: UseSpan[] = [];
  for (let i = 0; i < spans.length; i += 1) {
    const span = spans[i]!;
    if (span.units >= 0n) {
      settled.push(span);
      continue;
    }
    const before = makeUpFor(span, (k) => settled.at(-k));
    const after = makeUpFor(span, (k) => spans[i + k]);
    const isBefore = before !== undefined && before.count <= (after?.count ?? Infinity);
    const found = isBefore ? before : after;
    if (!found) continue;
    if (isBefore) settled.length -= found.count;
    else i += found.count;
    settled.push(found.joined);
  }
  return settled;
}

/** `neighbour(k)` is the k-th span away from the fall, k from 1. Undefined where a hole or a day comes first. */
function makeUpFor(
  fall: UseSpan,
  neighbour: (k: number) => UseSpan | undefined,
): { readonly count: number; readonly joined: UseSpan } | undefined {
  let { begins, ends, units } = fall;
  for (let count = 1; ; count += 1) {
    const next = neighbour(count);
    if (!next || (next.ends !== begins && next.begins !== ends)) return undefined;
    [begins, ends] = [Math.min(begins, next.begins), Math.max(ends, next.ends)];
    units += next.units;
    if (ends - begins > WILD_MS) return undefined;
    if (units >= 0n) return { count, joined: { begins, ends, units } };
  }
}

/** When the reader may see a usage point (Unix ms, `to` exclusive), in order of time. */
export interface Held {
  readonly from: number;
  readonly to: number;
}

/** An hour, day or month, or the part of it that was held. */
export interface UseBucket {
  readonly at: number;
  readonly to: number;
  /** Null where the register is not known at both ends, or fell in between: never a guess. */
  readonly units: bigint | null;
  readonly quality: SampleQuality;
  /** What it is made of; empty where `units` is null. */
  readonly spans: readonly UseSpan[];
}

/**
 * Cuts a use at `edges` (ascending Unix ms) and at the ends of what is held. The use of a bucket is the difference of the
 * register at its ends, so the hours of a day sum to the day. The bucket that is not over ends, for now, at the last
 * reading in it, and is uncertain; a hole before that makes it unknown like any other.
 */
export function cutUse(
  { spans }: Use,
  edges: readonly number[],
  held: readonly Held[],
  now: number,
): UseBucket[] {
  const buckets: UseBucket[] = [];
  let first = 0;
  for (let i = 1; i < edges.length; i += 1) {
    const [start, end] = [edges[i - 1]!, edges[i]!];
    for (const { from, to } of held) {
      const [at, until] = [Math.max(start, from), Math.min(end, to)];
      if (at >= until) continue;
      while (first < spans.length && spans[first]!.begins < at) first += 1;
      const running = until === now && end > now;
      const chain = chainFrom(spans, first, at, until);
      const next = spans[first + chain.length];
      const isWhole = running ? !next || next.begins >= until : chain.at(-1)?.ends === until;
      const known = chain.length > 0 && isWhole;
      const isCertain = known && !running && !chain.some(({ isRollover }) => isRollover);
      const sum = chain.reduce((acc, { units }) => acc + units, 0n);
      buckets.push({
        at,
        to: running ? end : until,
        units: known ? sum : null,
        quality: isCertain ? 'good' : 'uncertain',
        spans: known ? chain : [],
      });
    }
  }
  return buckets;
}

/** The spans that follow each other without a hole from `at`, none reaching past `until`. */
function chainFrom(spans: readonly UseSpan[], first: number, at: number, until: number): UseSpan[] {
  const chain: UseSpan[] = [];
  let end = at;
  for (let k = first; k < spans.length; k += 1) {
    const span = spans[k]!;
    if (span.begins !== end || span.ends > until) break;
    chain.push(span);
    end = span.ends;
  }
  return chain;
}

const QUARTER_MS = 900_000;

/** How much of the time held is known quarter hour by quarter hour, both in ms. */
export function coverage({ spans }: Use, held: readonly Held[]): { knownMs: number; heldMs: number } {
  const heldMs = held.reduce((sum, { from, to }) => sum + to - from, 0);
  const knownMs = spans
    .filter(({ begins, ends }) => ends - begins <= QUARTER_MS)
    .reduce((sum, { begins, ends }) => sum + ends - begins, 0);
  return { knownMs, heldMs };
}
