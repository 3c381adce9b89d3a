/** Sequence numbers as ranges, both ends inclusive, ascending, disjoint and not touching: [[1, 812], [905, 990]]. */
export type Ranges = readonly (readonly [from: number, to: number])[];

/** Reads the text of an int8multirange, whose upper ends are exclusive: `{[1,813),[905,991)}`. */
export const parseRanges = (text: string): Ranges =>
  [...text.matchAll(/\[(\d+),(\d+)\)/g)].map(([, from, to]) => [Number(from), Number(to) - 1] as const);

/** As text for an int8multirange. */
export const formatRanges = (ranges: Ranges): string =>
  `{${ranges.map(([from, to]) => `[${from},${to}]`).join(',')}}`;

export const includes = (ranges: Ranges, seq: number): boolean =>
  ranges.some(([from, to]) => from <= seq && seq <= to);

/** The union of `ranges` and single numbers. */
export function addAll(ranges: Ranges, seqs: readonly number[]): Ranges {
  const all = [...ranges, ...seqs.map((seq) => [seq, seq] as const)].sort(([a], [b]) => a - b);
  const joined: [number, number][] = [];
  for (const [from, to] of all) {
    const last = joined.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}
