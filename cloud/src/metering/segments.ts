import { type Grid, intervalAt, startOf } from './calendar.ts';
import type { Accepted, Installation, Rejected, RegisterTrack } from './registers.ts';

/** The part of one interval that one installation accounts for. */
export interface Piece {
  readonly interval: number;
  readonly durationMs: number;
}

export interface MeasuredPiece extends Piece {
  readonly counts: bigint;
  /** Empty when plainly measured. */
  readonly rule: '' | 'rollover' | 'interpolated';
}

/** Consecutive pieces without a register between them. */
export interface Gap {
  readonly pieces: readonly Piece[];
  /** Counts that flowed over the whole gap; undefined when a register is missing at its start or end. */
  readonly total: bigint | undefined;
  readonly cause: 'missing' | Rejected['rule'];
}

export interface Segment {
  readonly measured: readonly MeasuredPiece[];
  readonly gaps: readonly Gap[];
}

/** A cut between pieces: an interval boundary or the start or end of the installation. */
interface Knot {
  readonly at: number;
  readonly total: bigint | undefined;
  readonly interpolated: boolean;
}

/** Cuts the track of one installation at every interval boundary within it and within the grid. */
export function cutSegment(installation: Installation, track: RegisterTrack, grid: Grid): Segment {
  const knots = createKnots(installation, track, grid);
  const rollovers = track.accepted.filter((point) => point.rolledOver).map((point) => point.at);
  const measured: MeasuredPiece[] = [];
  const gaps: Gap[] = [];
  let known = knots[0]?.total === undefined ? -1 : 0;
  for (let k = 1; k < knots.length; k += 1) {
    if (knots[k]!.total === undefined && k < knots.length - 1) continue;
    if (known === k - 1 && knots[k]!.total !== undefined)
      measured.push(measure(knots[k - 1]!, knots[k]!, rollovers, grid));
    else gaps.push(createGap(knots.slice(Math.max(known, 0), k + 1), track, grid));
    known = k;
  }
  return { measured, gaps };
}

/** Whether the register is known at an instant, read or written down. */
export function knowsRegisterAt(track: RegisterTrack, at: number): boolean {
  return track.accepted.some((point) => point.at === at);
}

function createKnots({ from, to }: Installation, { accepted }: RegisterTrack, grid: Grid): Knot[] {
  const start = Math.max(from, grid.start);
  const end = Math.min(to ?? Infinity, startOf(grid, grid.count));
  const cuts = [start];
  for (let k = intervalAt(grid, start) + 1; startOf(grid, k) < end; k += 1) cuts.push(startOf(grid, k));
  if (end > start) cuts.push(end);
  let after = 0;
  return cuts.map((at) => {
    while (after < accepted.length && accepted[after]!.at < at) after += 1;
    return createKnot(at, accepted[after - 1], accepted[after], grid.intervalMs);
  });
}

function createKnot(
  at: number,
  before: Accepted | undefined,
  after: Accepted | undefined,
  intervalMs: number,
): Knot {
  if (after?.at === at) return { at, total: after.total, interpolated: false };
  if (!before || !after || after.readAt - before.readAt > intervalMs)
    return { at, total: undefined, interpolated: false };
  // Whole counts, half up: what is taken from one interval is given to the next, so the sum never changes.
  const span = BigInt(after.readAt - before.readAt);
  const part = (after.total - before.total) * BigInt(at - before.readAt) * 2n + span;
  return { at, total: before.total + part / (2n * span), interpolated: true };
}

function measure(from: Knot, to: Knot, rollovers: readonly number[], grid: Grid): MeasuredPiece {
  const rolledOver = rollovers.some((at) => at > from.at && at <= to.at);
  const rule = from.interpolated || to.interpolated ? 'interpolated' : rolledOver ? 'rollover' : '';
  return { ...pieceBetween(from, to, grid), counts: to.total! - from.total!, rule };
}

function createGap(knots: readonly Knot[], { rejected }: RegisterTrack, grid: Grid): Gap {
  const [first, last] = [knots[0]!, knots.at(-1)!];
  const pieces = knots.slice(1).map((knot, index) => pieceBetween(knots[index]!, knot, grid));
  const total = first.total === undefined || last.total === undefined ? undefined : last.total - first.total;
  const cause = rejected.find(({ at }) => at >= first.at && at <= last.at)?.rule ?? 'missing';
  return { pieces, total, cause };
}

function pieceBetween(from: Knot, to: Knot, grid: Grid): Piece {
  return { interval: intervalAt(grid, from.at), durationMs: to.at - from.at };
}
