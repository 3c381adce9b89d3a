import type { Outbox } from './outbox.ts';
import { createPace, type Pace } from './pace.ts';
import { covers, type Range } from './ranges.ts';

/** Nothing is resent sooner than this after its PubAck, ms. */
const RESEND_AFTER_MS = 30_000;
/** With a silent cloud the resends grow rarer up to this, ms. */
const RESEND_AT_MOST_MS = 600_000;
/** PubAcked messages that wait for a receipt: beyond it nobody empties the stream, so we stop filling it. */
const MAX_UNRECEIPTED = 5_000;
/** Slots of the window that the backlog leaves free for what is new. */
const FRESH_SLOTS = 8;
const LOOK_AHEAD = 256;

/** A message on its way. Times on the monotonic clock, ms. */
interface Sent {
  readonly sentAt: number;
  /** Not the newest of its time: it waited. */
  readonly isBacklog: boolean;
  /** When the broker had it on disk. */
  ackedAt?: number;
}

/** Which message goes next. Holds no message and does no I/O but look-ups in the outbox; time comes in as monotonic ms. */
export interface SendPlan {
  /** The next message to send, given the slots in use and in all; undefined when nothing may go now. */
  next(inUse: number, slots: number, now: number): number | undefined;
  /** Not stored by the broker, or nobody knows: it goes again. */
  failed(seq: number): void;
  pubAcked(seq: number, now: number): void;
  /** The cloud holds `ranges`. `isProgress`: at least one message was news. */
  received(ranges: readonly Range[], isProgress: boolean, now: number): void;
  /** From `seq` on everything without a receipt goes again. */
  rewind(seq: number): void;
  /** Puts back what was PubAcked and then lost on the way. @returns how many messages go again. */
  resend(now: number): number;
}

/**
 * Point tables first, then the newest message, then the backlog from its oldest end: a reader sees fresh values at once
 * while history fills in. Whatever left (sent or PubAcked) is remembered until the receipt.
 */
export function createSendPlan(
  rows: Pick<Outbox, 'waiting' | 'newestWaiting' | 'waitingTables'>,
  startedAt: number,
  pace: Pace = createPace(MAX_UNRECEIPTED),
): SendPlan {
  /** Sent, without receipt. */
  const sent = new Map<number, Sent>();
  let backlogSent = 0;
  let oldestCursor = 0; // Everything up to here was sent.
  let newestMark = 0; // Everything beyond is newer than what was ever sent.
  let progressAt = startedAt;
  let patienceMs = RESEND_AFTER_MS;
  let overtakenBy = -Infinity; // Latest PubAck among the received: what was PubAcked well before is lost.

  function oldest(): number | undefined {
    for (;;) {
      const candidates = rows.waiting(oldestCursor, LOOK_AHEAD);
      const found = candidates.find((seq) => !sent.has(seq));
      if (found !== undefined || candidates.length < LOOK_AHEAD) return found;
      oldestCursor = candidates.at(-1)!;
    }
  }

  function newest(): number | undefined {
    const seq = rows.newestWaiting(newestMark);
    if (seq === undefined) return undefined;
    newestMark = seq; // What was skipped below is left to the backlog.
    return sent.has(seq) ? undefined : seq;
  }

  function backlog(inUse: number, slots: number): number | undefined {
    if (inUse >= Math.max(1, slots - FRESH_SLOTS) || backlogSent >= pace.allowance()) return undefined;
    const seq = oldest();
    if (seq !== undefined) oldestCursor = seq;
    return seq;
  }

  function drop(seq: number): void {
    if (sent.get(seq)?.isBacklog) backlogSent -= 1;
    sent.delete(seq);
  }

  function forget(seq: number): void {
    drop(seq);
    oldestCursor = Math.min(oldestCursor, seq - 1);
  }

  return {
    next(inUse, slots, now) {
      if (inUse >= slots || sent.size >= MAX_UNRECEIPTED) return undefined;
      const fresh = rows.waitingTables().find((table) => !sent.has(table)) ?? newest();
      const seq = fresh ?? backlog(inUse, slots);
      if (seq === undefined) return undefined;
      sent.set(seq, { sentAt: now, isBacklog: fresh === undefined });
      if (fresh === undefined) backlogSent += 1;
      return seq;
    },
    failed: forget,
    pubAcked(seq, now) {
      const one = sent.get(seq);
      if (one) one.ackedAt = now;
    },
    received(ranges, isProgress, now) {
      if (isProgress) {
        progressAt = now;
        patienceMs = RESEND_AFTER_MS;
      }
      for (const [seq, { sentAt, ackedAt, isBacklog }] of sent) {
        if (!covers(ranges, seq)) continue;
        overtakenBy = Math.max(overtakenBy, ackedAt ?? -Infinity);
        if (isBacklog) pace.receipted(sentAt, now);
        drop(seq);
      }
    },
    rewind(seq) {
      oldestCursor = Math.min(oldestCursor, seq - 1);
    },
    resend(now) {
      const isStalled = now - progressAt >= patienceMs;
      const lost = [...sent].filter(
        ([, { ackedAt }]) =>
          ackedAt !== undefined &&
          now - ackedAt >= RESEND_AFTER_MS &&
          (isStalled || overtakenBy - ackedAt >= RESEND_AFTER_MS),
      );
      if (isStalled && lost.length > 0) {
        progressAt = now;
        patienceMs = Math.min(2 * patienceMs, RESEND_AT_MOST_MS);
      }
      for (const [seq] of lost) forget(seq);
      return lost.length;
    },
  };
}
