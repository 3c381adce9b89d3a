import { type Grid, intervalAt, startOf } from './calendar.ts';
import { formatUnits } from './decimal.ts';
import type { Checked, Fault } from './faults.ts';

/** A register as displayed, in counts of its last digit. */
export interface Reading {
  /** Unix ms. */
  readonly at: number;
  readonly counts: bigint;
  /** Line of the readings file; 0 for an index written down at a replacement. */
  readonly row: number;
}

/** One meter (its import or its export register) at one usage point for a while. */
export interface Installation {
  readonly meterId: string;
  /** JSON path, for faults. */
  readonly field: string;
  /** Unix ms; `to` is exclusive, null while it hangs there. */
  readonly from: number;
  readonly to: number | null;
  /** Digits of the display after the point: a count is the last of them. */
  readonly decimals: number;
  /** 10^digits: where the display starts again at zero. */
  readonly modulus: bigint;
  /** Energy of one count, in steps of the run's energy scale. */
  readonly energyPerCount: bigint;
  /** Rating check: more counts than this in one interval cannot have flowed. */
  readonly maxCountsPerInterval: bigint;
  readonly startCounts?: bigint;
  readonly finalCounts?: bigint;
}

/** A register that passed the rating check, counted on past rollovers. */
export interface Accepted {
  /** Unix ms: the boundary it stands for, or the instant of the reading. */
  readonly at: number;
  /** Unix ms of the reading itself. */
  readonly readAt: number;
  readonly total: bigint;
  readonly rolledOver: boolean;
}

export interface Rejected {
  readonly at: number;
  readonly row: number;
  readonly counts: bigint;
  readonly rule: 'high-limit' | 'negative';
}

export interface RegisterTrack {
  readonly accepted: readonly Accepted[];
  readonly rejected: readonly Rejected[];
}

/** A read that began this long after a boundary stands for it (ms). */
const BOUNDARY_TOLERANCE_MS = 10_000;

interface Placed extends Reading {
  /** Unix ms, moved to the boundary where the reading stands for one. */
  readonly place: number;
}

/**
 * Walks the readings of one installation (sorted by time, no duplicates), comparing each with the last accepted one.
 * A fall counts as a rollover only within the rating limit; otherwise the reading is rejected. When the register stays
 * on another level to the end, it was reset or exchanged: that is a fault, because only a person knows what flowed.
 */
export function trackRegister(
  installation: Installation,
  readings: readonly Reading[],
  grid: Grid,
): Checked<RegisterTrack> {
  const placed = placeReadings(installation, readings, grid);
  const contradictions = contradictedIndexes(installation, placed);
  if (contradictions.length > 0) return { ok: false, faults: contradictions };

  const accepted: Accepted[] = [];
  let rejected: Rejected[] = [];
  let trailing: Rejected[] = [];
  let last: Placed | undefined;
  for (const next of withIndexes(installation, placed)) {
    const step = compare(last, next, installation, grid.intervalMs);
    if (!step.ok) {
      trailing.push({ at: next.place, row: next.row, counts: next.counts, rule: step.rule });
      continue;
    }
    const total = (accepted.at(-1)?.total ?? next.counts) + step.counts;
    accepted.push({ at: next.place, readAt: next.at, total, rolledOver: step.rolledOver });
    rejected = rejected.concat(trailing);
    trailing = [];
    last = next;
  }
  const reset = findReset(installation, trailing, last, grid);
  if (reset) return { ok: false, faults: [reset] };
  return { ok: true, value: { accepted, rejected: rejected.concat(trailing) } };
}

/**
 * Lets a reading stand for the boundary it began at most 10 s after; the first such reading wins, and an index written
 * down for that very instant before all.
 */
function placeReadings(
  { from, to, startCounts }: Installation,
  readings: readonly Reading[],
  grid: Grid,
): Placed[] {
  const placed: Placed[] = [];
  let taken = startCounts === undefined ? from - 1 : from;
  for (const reading of readings) {
    if (reading.at < from || (to !== null && reading.at > to)) continue;
    const boundary = startOf(grid, intervalAt(grid, reading.at));
    const stands = reading.at - boundary <= BOUNDARY_TOLERANCE_MS && boundary > taken;
    if (stands) taken = boundary;
    placed.push({ ...reading, place: stands ? boundary : reading.at });
  }
  return placed;
}

/** Adds the indexes written down at a replacement, unless a reading of the same instant already says so. */
function withIndexes(installation: Installation, placed: readonly Placed[]): Placed[] {
  const { from, to, startCounts, finalCounts } = installation;
  const all = [...placed];
  if (startCounts !== undefined && all[0]?.place !== from)
    all.unshift({ at: from, place: from, counts: startCounts, row: 0 });
  if (finalCounts !== undefined && to !== null && all.at(-1)?.place !== to)
    all.push({ at: to, place: to, counts: finalCounts, row: 0 });
  return all;
}

function contradictedIndexes(installation: Installation, placed: readonly Placed[]): Fault[] {
  const { field, from, to, startCounts, finalCounts } = installation;
  const checks = [
    { at: from, counts: startCounts, name: 'start_index' },
    { at: to, counts: finalCounts, name: 'final_index' },
  ];
  return checks.flatMap(({ at, counts, name }) => {
    const reading = placed.find((candidate) => candidate.at === at);
    if (counts === undefined || !reading || reading.counts === counts) return [];
    const message = `differs from the reading of the same instant (readings line ${reading.row})`;
    return [{ source: 'scenario' as const, field: `${field}.${name}`, message }];
  });
}

type Step =
  | { readonly ok: true; readonly counts: bigint; readonly rolledOver: boolean }
  | { readonly ok: false; readonly rule: Rejected['rule'] };

function compare(
  last: Placed | undefined,
  next: Placed,
  installation: Installation,
  intervalMs: number,
): Step {
  if (!last) return { ok: true, counts: 0n, rolledOver: false };
  const { modulus, maxCountsPerInterval } = installation;
  const fell = next.counts < last.counts;
  const counts = next.counts - last.counts + (fell ? modulus : 0n);
  const intervals = Math.max(1, Math.ceil((next.place - last.place) / intervalMs));
  if (counts <= maxCountsPerInterval * BigInt(intervals)) return { ok: true, counts, rolledOver: fell };
  return { ok: false, rule: fell ? 'negative' : 'high-limit' };
}

/** A single wild reading at the end is noise; several that agree with each other, or a refused final index, are not. */
function findReset(
  installation: Installation,
  trailing: readonly Rejected[],
  last: Placed | undefined,
  grid: Grid,
): Fault | undefined {
  const [first, end] = [trailing[0], trailing.at(-1)];
  if (!first || !end || !last) return undefined;
  const { meterId, field, decimals, maxCountsPerInterval, to, finalCounts } = installation;
  const show = (counts: bigint): string => formatUnits(counts, decimals);
  if (trailing.length > 1 && agree(trailing, installation, grid)) {
    const message =
      `meter ${meterId} goes from ${show(last.counts)} to ${show(first.counts)} and stays there: neither a rollover nor possible ` +
      `at ${maxCountsPerInterval} counts per interval. If it was reset or exchanged, record a replacement with both indexes`;
    return { source: 'readings', row: first.row, field: 'register', message };
  }
  if (finalCounts === undefined || end.at !== to) return undefined;
  const message = `meter ${meterId}: ${show(end.counts)} cannot follow the last accepted ${show(last.counts)} within the rating`;
  return { source: 'scenario', field: `${field}.final_index`, message };
}

/** Whether each rejected reading could follow the one before it. */
function agree(rejected: readonly Rejected[], installation: Installation, { intervalMs }: Grid): boolean {
  const placed = rejected.map(({ at, row, counts }) => ({ at, place: at, row, counts }));
  return placed.slice(1).every((next, index) => compare(placed[index], next, installation, intervalMs).ok);
}
