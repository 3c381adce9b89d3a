import { apportion } from './apportion.ts';
import type { Grid } from './calendar.ts';
import { divideHalfUp } from './decimal.ts';
import type { Gap, Piece } from './segments.ts';

/** What is known of one register's intervals before anything is estimated. */
export interface Known {
  /** Energy per interval of the grid. */
  readonly energy: readonly bigint[];
  /** 1 where the whole interval rests on registers; only these may serve as a pattern. */
  readonly good: Uint8Array;
}

export interface Estimate {
  /** Whole counts, one per piece of the gap. */
  readonly counts: readonly bigint[];
  readonly method: 'like-day' | 'evenly' | 'like-day-mean';
}

/**
 * Fills a gap in whole counts.
 * With both end registers the known difference is spread by the pattern of the like day, or evenly where there is no
 * such day or it used nothing. With one end missing each interval gets the mean of its like days.
 * @returns undefined when there is no like day to take a mean of.
 */
export function estimateGap(
  gap: Gap,
  energyPerCount: bigint,
  known: Known,
  grid: Grid,
): Estimate | undefined {
  if (gap.total === undefined) return estimateOpenGap(gap, energyPerCount, known, grid);
  const pattern = likeDayPattern(gap.pieces, known, grid);
  if (pattern?.some((weight) => weight > 0n))
    return { counts: apportion(gap.total, pattern), method: 'like-day' };
  const durations = gap.pieces.map(({ durationMs }) => BigInt(durationMs));
  return { counts: apportion(gap.total, durations), method: 'evenly' };
}

/** Energy of the same intervals of the like day, in proportion to the piece; undefined when a date has no like day. */
function likeDayPattern(pieces: readonly Piece[], known: Known, grid: Grid): bigint[] | undefined {
  const weights: bigint[] = [];
  for (const [day, ofDay] of piecesByDay(pieces, grid)) {
    const like = findLikeDay(day, ofDay, known, grid);
    if (!like) return undefined;
    ofDay.forEach(({ durationMs }, index) => weights.push(known.energy[like[index]!]! * BigInt(durationMs)));
  }
  return weights;
}

/** The nearest earlier day of the same type whose intervals at these times are all good, as those intervals. */
function findLikeDay(day: number, pieces: readonly Piece[], known: Known, grid: Grid): number[] | undefined {
  for (let candidate = day - 1; candidate >= 0; candidate -= 1) {
    if (grid.days[candidate]!.type !== grid.days[day]!.type) continue;
    const same = pieces.map(({ interval }) => intervalAtMinute(grid, candidate, grid.minuteOf[interval]!));
    if (same.every((interval) => interval !== undefined && known.good[interval] === 1))
      return same as number[];
  }
  return undefined;
}

function estimateOpenGap(gap: Gap, energyPerCount: bigint, known: Known, grid: Grid): Estimate | undefined {
  const counts: bigint[] = [];
  for (const piece of gap.pieces) {
    const like = likeIntervals(piece.interval, known, grid);
    if (like.length === 0) return undefined;
    const sum = like.reduce((acc, interval) => acc + known.energy[interval]!, 0n) * BigInt(piece.durationMs);
    counts.push(divideHalfUp(sum, BigInt(like.length) * energyPerCount * BigInt(grid.intervalMs)));
  }
  return { counts, method: 'like-day-mean' };
}

/** The same time on every good earlier day of the type; a gap at the very start has only later ones to learn from. */
function likeIntervals(interval: number, known: Known, grid: Grid): number[] {
  const day = grid.dayOf[interval]!;
  const { type } = grid.days[day]!;
  const found = grid.days.flatMap((other, index) => {
    if (index === day || other.type !== type) return [];
    const same = intervalAtMinute(grid, index, grid.minuteOf[interval]!);
    return same !== undefined && known.good[same] === 1 ? [{ index, same }] : [];
  });
  const earlier = found.filter(({ index }) => index < day);
  return (earlier.length > 0 ? earlier : found).map(({ same }) => same);
}

/** The first interval of a day that starts at a local minute; a day that skips the hour has none. */
function intervalAtMinute(grid: Grid, day: number, minute: number): number | undefined {
  const { first, count } = grid.days[day]!;
  const direct = first + Math.floor((minute * 60_000) / grid.intervalMs);
  if (direct < first + count && grid.minuteOf[direct] === minute) return direct;
  for (let k = first; k < first + count; k += 1) if (grid.minuteOf[k] === minute) return k;
  return undefined;
}

function piecesByDay(pieces: readonly Piece[], grid: Grid): Map<number, Piece[]> {
  return Map.groupBy(pieces, ({ interval }) => grid.dayOf[interval]!);
}
