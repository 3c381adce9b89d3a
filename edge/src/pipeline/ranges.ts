/** Whole numbers from `from` to `to`, both inclusive. */
export type Range = readonly [from: number, to: number];

/** Whether `ranges` are ascending and disjoint with both ends in order; only such a receipt can be read unambiguously. */
export const areOrdered = (ranges: readonly Range[]): boolean =>
  ranges.every(([from, to], index) => from <= to && from > (ranges[index - 1]?.[1] ?? 0));

/** Whether ascending, disjoint `ranges` hold `seq`. */
export function covers(ranges: readonly Range[], seq: number): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [from, to] = ranges[middle]!;
    if (seq < from) high = middle - 1;
    else if (seq > to) low = middle + 1;
    else return true;
  }
  return false;
}

/** What ascending, disjoint `ranges` leave out of 1..`last`, ascending. */
export function complement(ranges: readonly Range[], last: number): Range[] {
  const gaps: Range[] = [];
  let next = 1;
  for (const [from, to] of ranges) {
    if (from > next) gaps.push([next, Math.min(from - 1, last)]);
    next = Math.max(next, to + 1);
  }
  if (next <= last) gaps.push([next, last]);
  return gaps.filter(([from, to]) => from <= to);
}
