import type { Clock } from '../base/clock.ts';

/** Wall and monotonic clock may drift apart by this much before we call it a jump. NTP slews well below it. */
const TOLERANCE_MS = 2_000;
/** After this long at a new time we believe it: whoever set the clock meant it. */
const SETTLE_MS = 900_000;
/** Late samples of one moment, one after another, are moved apart by no more than this. */
const CROWD_MS = 10;
/** 2025-01-01 and 2100-01-01: a gateway outside has lost its clock, however steadily it ticks. */
const EARLIEST = 1_735_689_600_000;
const LATEST = 4_102_444_800_000;

export interface Stamp {
  /** Unix ms; per point strictly increasing while the clock runs forward. */
  readonly at: number;
  /** The gateway's clock could not be trusted at that moment. */
  readonly suspect: boolean;
}

/** Gives each sample its final time. One instance per gateway, for one thread. */
export interface Stamper {
  stamp(pointId: string, at: number): Stamp;
  /** For a sample that belongs before the last one: it keeps its time, a millisecond aside where that one stands. */
  stampLate(pointId: string, at: number): Stamp;
}

/**
 * Two samples of one point may share a millisecond, and storage knows a sample by (point, ms): the later gets the next
 * free one. A step back of more than 2 s is followed rather than held, for the new time is usually the right one.
 *
 * @param notBefore Unix ms of the newest sample on the gateway's own disk: a clock that starts before it has lost its time.
 */
export function createStamper(clock: Clock, notBefore = 0): Stamper {
  const last = new Map<string, number>();
  const lastLate = new Map<string, number>();
  const isSuspect = createClockWatch(clock, notBefore);
  return {
    stamp(pointId, at) {
      const before = last.get(pointId) ?? 0;
      const isRewound = at < before - TOLERANCE_MS;
      const stamped = isRewound ? at : Math.max(at, before + 1);
      last.set(pointId, stamped);
      return { at: stamped, suspect: isSuspect() || isRewound };
    },
    stampLate(pointId, at) {
      const late = lastLate.get(pointId) ?? 0;
      const isCrowded = at <= late && late - at < CROWD_MS;
      const free = isCrowded ? late + 1 : at;
      const stamped = free === last.get(pointId) ? free - 1 : free;
      lastLate.set(pointId, stamped);
      return { at: stamped, suspect: isSuspect() };
    },
  };
}

/** Tells whether the wall clock can be trusted now: it must be of this century and run along the monotonic one. */
function createClockWatch(clock: Clock, notBefore: number): () => boolean {
  const offset = (): number => clock.now() - clock.monotonic();
  const isTooEarly = (): boolean => clock.now() < notBefore - TOLERANCE_MS;
  let trusted = isTooEarly() ? undefined : offset();
  let candidate = offset();
  let candidateSince = trusted === undefined ? clock.monotonic() : 0;
  return () => {
    const now = clock.now();
    const current = offset();
    if (now < EARLIEST || now >= LATEST) return true;
    // Whoever set the clock since has brought it past what the disk already holds.
    const isCorrected = trusted === undefined && !isTooEarly();
    if (isCorrected || (trusted !== undefined && Math.abs(current - trusted) <= TOLERANCE_MS)) {
      trusted = current; // Follows a slow drift, so only a jump ever exceeds the tolerance.
      candidate = current;
      return false;
    }
    if (Math.abs(current - candidate) > TOLERANCE_MS) candidateSince = clock.monotonic();
    candidate = current;
    if (clock.monotonic() - candidateSince < SETTLE_MS) return true;
    trusted = current;
    return false;
  };
}
