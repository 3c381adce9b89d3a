const QUARTER_MS = 900_000;

/** A read that began at most this long after a quarter hour stands for it. */
const BOUNDARY_MS = 10_000;

/** First tick of `origin + k * periodMs` (k >= 0) after `now`. Ticks that were missed are not made up for. */
export function nextTick(origin: number, periodMs: number, now: number): number {
  return now < origin ? origin : origin + (Math.floor((now - origin) / periodMs) + 1) * periodMs;
}

/** The UTC quarter hour after `at`, Unix ms; exactly on one, the next. */
export const quarterAfter = (at: number): number => (Math.floor(at / QUARTER_MS) + 1) * QUARTER_MS;

/** Whether a read begun at `beganAt` (Unix ms) may stand for the quarter hour before it. */
export const isOnBoundary = (beganAt: number): boolean =>
  beganAt - Math.floor(beganAt / QUARTER_MS) * QUARTER_MS <= BOUNDARY_MS;
