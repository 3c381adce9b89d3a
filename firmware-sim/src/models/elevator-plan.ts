import { eventTimes, officeDay } from './day-plan.ts';
import { secondsFor } from './motion.ts';
import { lattice } from './noise.ts';
import { DAY_MS } from './site-clock.ts';

export const FLOOR_HEIGHT = 4;

/** Phases of the doors after an arrival, ms. */
export const doors = { opening: 2_500, open: 6_000, closing: 3_000 } as const;
const DWELL_MS = doors.opening + doors.open + doors.closing;

/** The car goes from one floor to another, or opens its doors where it is; then it stays. Times in ms since midnight. */
export interface Visit {
  readonly start: number;
  /** Arrival; `start` when the car was there. */
  readonly end: number;
  /** Indices into the served floors. */
  readonly from: number;
  readonly to: number;
  /** % of the rated load on the way. */
  readonly load: number;
  readonly opensDoors: boolean;
  /** Journeys of people that end here: 1 or 0. */
  readonly journeys: number;
}

export interface DaySetup {
  readonly count: number;
  readonly floors: number;
  /** Index of the floor where the car waits at night. */
  readonly lobby: number;
  readonly day: number;
  readonly seed: number;
}

/** Whole number in [0, below). */
const choose = (seed: number, index: number, below: number): number =>
  Math.min(below - 1, Math.floor(((lattice(seed, index) + 1) / 2) * below));

/** A day's visits: someone calls, the car comes, takes them where they want, and at midnight it stands in the lobby. */
export function elevatorDay({ count, floors, lobby, day, seed }: DaySetup): readonly Visit[] {
  const visits: Visit[] = [];
  let [at, free] = [lobby, 0];
  const go = (earliest: number, to: number, rest: Pick<Visit, 'load' | 'opensDoors' | 'journeys'>): void => {
    const start = Math.max(earliest, free);
    const end = to === at ? start : start + 1000 * secondsFor(Math.abs(to - at) * FLOOR_HEIGHT);
    visits.push({ start, end, from: at, to, ...rest });
    [at, free] = [to, end + (rest.opensDoors ? DWELL_MS : 0)];
  };
  eventTimes(count, officeDay, day, seed).forEach((called, n) => {
    const index = day * 4096 + n;
    // Mornings go up from the lobby, evenings down to it, between them anywhere.
    const isUp = lattice(seed + 1, index) > (called / DAY_MS - 0.5) * 2.4;
    const upper = (lobby + 1 + choose(seed + 2, index, floors - 1)) % floors;
    const [from, to] = isUp ? [lobby, upper] : [upper, lobby];
    go(called, from, { load: 0, opensDoors: true, journeys: 0 });
    go(called, to, { load: 8 + 8 * choose(seed + 3, index, 7), opensDoors: true, journeys: 1 });
  });
  if (at !== lobby) go(free, lobby, { load: 0, opensDoors: false, journeys: 0 });
  return visits;
}
