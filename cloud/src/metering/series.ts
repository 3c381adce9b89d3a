import type { Grid } from './calendar.ts';
import { estimateGap } from './estimate.ts';
import type { Checked, Fault } from './faults.ts';
import { type Installation, type Reading, type RegisterTrack, trackRegister } from './registers.ts';
import { cutSegment, type Gap, knowsRegisterAt, type Segment } from './segments.ts';

/** M measured, V a boundary interpolated between two close registers, E estimated. */
export type Quality = 'M' | 'V' | 'E';

/** Validated energy of one register at one usage point, interval by interval of the grid. */
export interface Series {
  /** In steps of the run's energy scale. */
  readonly energy: readonly bigint[];
  /** undefined where nothing is known: outside the installations. */
  readonly quality: readonly (Quality | undefined)[];
  /** Why an interval is not plainly measured: 'missing:like-day', 'swap', ...; '' when it is. */
  readonly rule: readonly string[];
}

/** The intervals that are billed: [first, last) of the grid. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

interface Draft {
  readonly energy: bigint[];
  readonly quality: (Quality | undefined)[];
  readonly rules: Set<string>[];
  readonly coveredMs: Int32Array;
  readonly good: Uint8Array;
}

interface Part {
  readonly installation: Installation;
  readonly segment: Segment;
}

/**
 * Turns the readings of the meters that hung at one usage point, one after the other, into validated intervals.
 * The sum over intervals equals the register differences, each times its multiplier.
 */
export function createSeries(
  installations: readonly Installation[],
  readingsOf: (meterId: string) => readonly Reading[],
  grid: Grid,
  billed: Span,
): Checked<Series> {
  const parts: Part[] = [];
  const faults: Fault[] = [];
  for (const installation of installations) {
    const track = trackRegister(installation, readingsOf(installation.meterId), grid);
    if (!track.ok) faults.push(...track.faults);
    else {
      faults.push(...unknownEnds(installation, track.value, grid, billed));
      parts.push({ installation, segment: cutSegment(installation, track.value, grid) });
    }
  }
  if (faults.length > 0) return { ok: false, faults };

  const draft = createDraft(grid);
  for (const part of parts) addMeasured(draft, part);
  for (let k = 0; k < grid.count; k += 1) draft.good[k] = draft.coveredMs[k] === grid.intervalMs ? 1 : 0;
  const inadequate = parts.flatMap((part) => addEstimated(draft, part, grid, billed));
  if (inadequate.length > 0) return { ok: false, faults: inadequate };
  return { ok: true, value: finish(draft, grid) };
}

function createDraft({ count }: Grid): Draft {
  return {
    energy: new Array<bigint>(count).fill(0n),
    quality: new Array<Quality | undefined>(count).fill(undefined),
    rules: Array.from({ length: count }, () => new Set<string>()),
    coveredMs: new Int32Array(count),
    good: new Uint8Array(count),
  };
}

/** An exchange within the period needs both indexes: without them nobody knows what the old meter had counted. */
function unknownEnds(
  installation: Installation,
  track: RegisterTrack,
  grid: Grid,
  { first, last }: Span,
): Fault[] {
  const { field, from, to, meterId } = installation;
  const [start, end] = [grid.start + first * grid.intervalMs, grid.start + last * grid.intervalMs];
  const overlaps = from < end && (to === null || to > start);
  if (!overlaps) return [];
  if (track.accepted.length === 0)
    return [{ source: 'scenario', field: `${field}.meter`, message: `meter ${meterId} has no readings` }];
  const missing = [
    from > start && !knowsRegisterAt(track, from) && 'start_index',
    to !== null && to < end && !knowsRegisterAt(track, to) && 'final_index',
  ];
  return missing
    .filter((name) => name !== false)
    .map((name) => ({
      source: 'scenario',
      field: `${field}.${name}`,
      message: `is missing, and meter ${meterId} has no reading at that instant`,
    }));
}

function addMeasured(draft: Draft, { installation, segment }: Part): void {
  for (const { interval, durationMs, counts, rule } of segment.measured) {
    if (draft.coveredMs[interval]! > 0) draft.rules[interval]!.add('swap');
    draft.energy[interval]! += counts * installation.energyPerCount;
    draft.coveredMs[interval]! += durationMs;
    if (rule) draft.rules[interval]!.add(rule);
    draft.quality[interval] = rule === 'interpolated' || draft.quality[interval] === 'V' ? 'V' : 'M';
  }
}

function addEstimated(draft: Draft, { installation, segment }: Part, grid: Grid, billed: Span): Fault[] {
  return segment.gaps.flatMap((gap) => {
    const wanted = gap.total === undefined ? within(gap, billed) : gap;
    if (wanted.pieces.length === 0) return [];
    const estimate = estimateGap(wanted, installation.energyPerCount, draft, grid);
    if (!estimate) return [noPattern(installation, grid, wanted)];
    wanted.pieces.forEach(({ interval, durationMs }, index) => {
      if (draft.coveredMs[interval]! > 0) draft.rules[interval]!.add('swap');
      draft.energy[interval]! += estimate.counts[index]! * installation.energyPerCount;
      draft.coveredMs[interval]! += durationMs;
      draft.quality[interval] = 'E';
      draft.rules[interval]!.add(`${gap.cause}:${estimate.method}`);
    });
    return [];
  });
}

/** Without an end register there is nothing to conserve outside the billed period, so nothing is guessed there. */
function within(gap: Gap, { first, last }: Span): Gap {
  return { ...gap, pieces: gap.pieces.filter(({ interval }) => interval >= first && interval < last) };
}

function noPattern({ meterId, field }: Installation, grid: Grid, { pieces }: Gap): Fault {
  const { date } = grid.days[grid.dayOf[pieces[0]!.interval]!]!;
  const message = `meter ${meterId} has a gap on ${date} without a register on both sides, and no like day to estimate it from`;
  return { source: 'scenario', field, message };
}

/** An interval that the installations cover only in part (before the first meter came) is not known. */
function finish(draft: Draft, grid: Grid): Series {
  const known = (k: number): boolean => draft.coveredMs[k] === grid.intervalMs;
  return {
    energy: draft.energy.map((energy, k) => (known(k) ? energy : 0n)),
    quality: draft.quality.map((quality, k) => (known(k) ? quality : undefined)),
    rule: draft.rules.map((rules, k) => (known(k) ? [...rules].join('+') : '')),
  };
}
