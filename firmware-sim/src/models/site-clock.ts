import { lattice } from './noise.ts';

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** What the park does repeats after 104 weeks, as the meters' series do: weekdays match, seasons nearly. */
export const ROUND_MS = 104 * 7 * DAY_MS;

/** A Friday: the weekday of the origin, 2021-01-01. */
const FIRST_WEEKDAY = 5;

/** The site's wall clock without summer time, as building controllers keep it. */
export interface SiteClock {
  /** Unix ms of the origin: midnight of a 1st of January. */
  readonly origin: number;
  /** Days since the origin, whole. */
  day(t: number): number;
  /** Hours since midnight, 0 up to 24, with its fraction. */
  hour(t: number): number;
  /** 0 is Sunday. */
  weekday(t: number): number;
  /** Part of the year that has passed, 0 up to 1; years of 52 weeks. */
  season(t: number): number;
  /** Smooth noise in [-1, 1] that repeats with the park. @param periodMs Divides {@link ROUND_MS}. */
  noise(seed: number, t: number, periodMs: number): number;
}

export function createSiteClock(origin: number): SiteClock {
  const day = (t: number): number => Math.floor((t - origin) / DAY_MS);
  return {
    origin,
    day,
    hour: (t) => (t - origin) / HOUR_MS - 24 * day(t),
    weekday: (t) => (FIRST_WEEKDAY + day(t)) % 7,
    season: (t) => ((t - origin) / (ROUND_MS / 2)) % 1,
    noise(seed, t, periodMs) {
      const position = (t - origin) / periodMs;
      const index = Math.floor(position);
      const count = ROUND_MS / periodMs;
      const u = position - index;
      const from = lattice(seed, index % count);
      return from + (lattice(seed, (index + 1) % count) - from) * u * u * (3 - 2 * u);
    },
  };
}

/** 0 before `from`, 1 after `to`, without a kink between. */
export function ramp(x: number, from: number, to: number): number {
  const u = clamp((x - from) / (to - from), 0, 1);
  return u * u * (3 - 2 * u);
}

export const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** Remembers the last answer: what hangs together is asked many times for the same instant. */
export function remembering<State>(state: (t: number) => State): (t: number) => State {
  let lastT = NaN;
  let last: State;
  return (t) => {
    if (t !== lastT) [lastT, last] = [t, state(t)];
    return last;
  };
}
