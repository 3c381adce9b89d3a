const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 4 * 3_600_000;
const GIVE_UP_MS = 24 * 3_600_000;
/** Days of nothing but failures after which a subscription is paused. */
export const PAUSE_AFTER_MS = 3 * 86_400_000;

/**
 * When a delivery that failed is tried again: after 5 s, 10 s, 20 s, ... 4 h, each up to a fifth later so that many do not
 * come at once; null once a day has passed since its first try. `chance`: 0..1. Pure.
 */
export function nextTry(attempts: number, firstAt: Date, now: Date, chance: number): Date | null {
  if (now.getTime() - firstAt.getTime() >= GIVE_UP_MS) return null;
  const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1)) * (1 + chance / 5);
  return new Date(Math.min(now.getTime() + waitMs, firstAt.getTime() + GIVE_UP_MS));
}

/** Whether a subscription has failed for so long that it is paused. Pure. */
export const hasFailedLong = (failingSince: Date, now: Date): boolean =>
  now.getTime() - failingSince.getTime() >= PAUSE_AFTER_MS;
