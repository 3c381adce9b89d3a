/** Round numbers that cover [min, max], about `count` of them, at steps of 1, 2 or 5. */
export function niceTicks(min: number, max: number, count = 4): number[] {
  const span = max - min || Math.abs(max) || 1;
  const rough = span / count;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * magnitude).find((size) => size >= rough * 0.999) ?? rough;
  const first = Math.floor(min / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(max / step - 1e-9));
  // Multiplied anew each time, so that 0.1 + 0.2 does not creep into a label.
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

/** Every how many bars a label fits. */
export const labelEvery = (bars: number, width: number, labelWidth: number): number =>
  Math.max(1, Math.ceil((bars * labelWidth) / Math.max(1, width)));

export interface TrendPoint {
  /** Unix ms. */
  readonly at: number;
  /** null: the point could not be read. */
  readonly value: number | null;
  readonly simulated?: boolean;
  /** The clock of the gateway could not be trusted then. */
  readonly timeSuspect?: boolean;
}
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Where nothing is known inside [from, to]: a silence longer than `staleAfterMs`, or a reading that failed until the next
 * one that did not. A value holds for `staleAfterMs`, because a gateway reports changes, not every read.
 */
export function findGaps(points: readonly TrendPoint[], staleAfterMs: number, { from, to }: Span): Span[] {
  const gaps: Span[] = [];
  const add = (start: number, end: number) => {
    const gap = { from: Math.max(from, start), to: Math.min(to, end) };
    if (gap.to <= gap.from) return;
    const last = gaps.at(-1);
    if (last && gap.from <= last.to)
      gaps[gaps.length - 1] = { from: last.from, to: Math.max(last.to, gap.to) };
    else gaps.push(gap);
  };
  const first = points[0];
  if (!first) return [{ from, to }];
  if (first.at - from > staleAfterMs) add(from, first.at);
  points.forEach(({ at, value }, index) => {
    const next = points[index + 1]?.at ?? to;
    if (value === null) add(at, next);
    else if (next - at > staleAfterMs) add(at, next);
  });
  return gaps;
}

/** Columns for the chart: time in s, measured and simulated values, with a hole wherever there is a gap. */
export function toColumns(
  points: readonly TrendPoint[],
  gaps: readonly Span[],
  to: number,
): [number[], (number | null)[], (number | null)[]] {
  const x: number[] = [];
  const measured: (number | null)[] = [];
  const simulated: (number | null)[] = [];
  const push = (at: number, value: number | null, isSimulated = false) => {
    x.push(at / 1_000);
    measured.push(isSimulated ? null : value);
    simulated.push(isSimulated ? value : null);
  };
  let gap = 0;
  for (const { at, value, simulated: isSimulated } of points) {
    push(at, value, isSimulated);
    while (gaps[gap] && gaps[gap]!.to <= at) gap += 1;
    if (gaps[gap]?.from === at) push(at + 1, null);
  }
  const last = points.at(-1);
  const open = gaps.at(-1)?.to === to;
  // The last value still holds: the line goes on to now.
  if (last && !open && to > last.at) push(to, last.value, last.simulated);
  return [x, measured, simulated];
}
