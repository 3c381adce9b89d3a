/** A receipt that takes longer says that the cloud has enough to do: what is fresh would wait behind the backlog, ms. */
const SLOW_MS = 1_500;
const FIRST = 16;
const LEAST = 4;

/** How much of a backlog may be on its way to the database at once. Times on the monotonic clock, ms. */
export interface Pace {
  /** Messages of the backlog that may wait for their receipts. */
  allowance(): number;
  /** The cloud holds a message of the backlog that left at `sentAt`. */
  receipted(sentAt: number, now: number): void;
}

/**
 * The log between gateway and database is first in, first out: whatever of the backlog lies in it, a fresh reading waits for. So
 * the backlog is let in only as fast as it comes out, measured by its own receipts: twice as much while they come soon, half as
 * much when they are late. `most`: never more than that.
 */
export function createPace(most: number): Pace {
  let allowance = FIRST;
  let cutAt = -Infinity;
  return {
    allowance: () => allowance,
    receipted(sentAt, now) {
      const isLate = now - sentAt > SLOW_MS;
      // What left before the last cut says nothing of the pace since.
      if (isLate && sentAt >= cutAt) {
        allowance = Math.max(LEAST, Math.floor(allowance / 2));
        cutAt = now;
      } else if (!isLate) allowance = Math.min(most, allowance + 1);
    },
  };
}
