import { setTimeout as sleep } from 'node:timers/promises';

export interface Throttle {
  /** Resolves when it is one's turn, in the order asked. @returns whether that took a wait. */
  turn(): Promise<boolean>;
}

/** Lets `perSecond` pass each second and a burst of ten times as many; the rest wait, and their sender with them. */
export function createThrottle(perSecond: number, now: () => number): Throttle {
  const most = 10 * perSecond;
  let left = most;
  let filledAt = now();
  let line = Promise.resolve();

  /** ms until the next may pass. */
  function take(): number {
    const goneMs = Math.max(0, now() - filledAt);
    filledAt = now();
    left = Math.min(most, left + (goneMs / 1_000) * perSecond) - 1;
    return left >= 0 ? 0 : (-left / perSecond) * 1_000;
  }

  let isWaiting = false;
  return {
    async turn() {
      if (!isWaiting && left >= 1) {
        take();
        return false;
      }
      isWaiting = true;
      const before = line;
      const mine = before.then(async () => {
        const ms = take();
        if (ms >= 1) await sleep(ms, undefined, { ref: false });
      });
      line = mine;
      await mine;
      if (line === mine) isWaiting = false;
      return true;
    },
  };
}
