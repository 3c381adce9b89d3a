import type { Logger } from 'pino';
import type { Bell } from '../base/bell.ts';
import type { Clock } from '../base/clock.ts';
import type { Failpoint } from '../base/failpoint.ts';
import type { FaultLog } from '../base/fault-log.ts';
import { type Outbox, OutboxError, type Received } from './outbox.ts';
import type { Range } from './ranges.ts';
import { createSendPlan } from './send-plan.ts';

/** Messages on the way at once. Above 64 only latency grows. */
const MAX_WINDOW = 64;
const FIRST_WINDOW = 8;
/** A PubAck slower than this means a thin or crowded link: fewer on the way keep fresh values fast. */
const SLOW_ACK_MS = 2_000;
const TURN_MS = 1_000;
const MIN_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;

export interface UplinkDeps {
  readonly outbox: Pick<Outbox, 'waiting' | 'newestWaiting' | 'waitingTables' | 'envelope' | 'messageId'>;
  readonly link: UplinkLink;
  readonly clock: Clock;
  /** Rung by us and by whoever appends a message, so that it leaves without delay. */
  readonly bell: Bell;
  readonly log: Pick<Logger, 'info'>;
  readonly faults: FaultLog;
  readonly failpoint: Failpoint;
}

export interface UplinkLink {
  /** Grows with each connection; 0 while there is none. */
  generation(): number;
  /** Resolves when the broker has it on disk. Rejects when it says no or says nothing. */
  publish(messageId: string, envelope: Uint8Array): Promise<void>;
  /** Asks the cloud what it holds; the answer goes the way of every receipt. Rejects without an answer. */
  askReceipt(): Promise<void>;
}

export interface Uplink {
  /** Empties the outbox until `signal` aborts. A dead link is waited out. */
  run(signal: AbortSignal): Promise<void>;
  /** Takes note of a receipt that the outbox has applied. */
  onReceipt(ranges: readonly Range[], effect: Received): void;
}

/** PubAcks only move the send window; rows leave the outbox by receipts alone. */
export function createUplink(deps: UplinkDeps): Uplink {
  const { outbox, link, clock, bell, log, faults } = deps;
  const plan = createSendPlan(outbox, clock.monotonic());
  const inFlight = new Map<number, number>(); // seq -> generation of the link it left by
  let window = FIRST_WINDOW;
  let failures = 0;
  let pausedUntil = -Infinity;
  let seenGeneration = 0;

  async function send(seq: number, generation: number): Promise<void> {
    const sentAt = clock.monotonic();
    const isOurs = (): boolean => inFlight.get(seq) === generation;
    try {
      const envelope = outbox.envelope(seq);
      if (envelope) await link.publish(outbox.messageId(seq), envelope);
      deps.failpoint('after-publish');
      if (!isOurs()) return; // The link broke meanwhile: this seq is somebody else's business now.
      plan.pubAcked(seq, clock.monotonic());
      failures = 0;
      window = clock.monotonic() - sentAt > SLOW_ACK_MS ? halved(window) : Math.min(MAX_WINDOW, window + 1);
      faults.over('uplink', 'uplink works again');
    } catch (err) {
      if (!isOurs()) return;
      plan.failed(seq);
      backOff();
      faults.fault('uplink', 'uplink failed', { err, seq, failures });
    } finally {
      if (isOurs()) inFlight.delete(seq);
      bell.ring();
    }
  }

  /** A window that fails together is one failure. */
  function backOff(): void {
    const now = clock.monotonic();
    if (now < pausedUntil) return;
    failures += 1;
    window = halved(window);
    pausedUntil = now + Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** (failures - 1));
  }

  /** What was on the way when the link broke has no known fate: it goes again, and both ends deduplicate. */
  async function greet(generation: number): Promise<void> {
    for (const seq of inFlight.keys()) plan.failed(seq);
    inFlight.clear();
    seenGeneration = generation;
    failures = 0;
    pausedUntil = -Infinity;
    await ask();
  }

  async function ask(): Promise<void> {
    try {
      await link.askReceipt();
      faults.over('receipt', 'cloud answers for receipts again');
    } catch (err) {
      faults.fault('receipt', 'cloud does not say what it holds', { err }); // Sending needs no answer.
    }
  }

  function fill(generation: number): void {
    while (clock.monotonic() >= pausedUntil) {
      const seq = plan.next(inFlight.size, window, clock.monotonic());
      if (seq === undefined) return;
      inFlight.set(seq, generation);
      void send(seq, generation);
    }
  }

  async function turn(): Promise<void> {
    const generation = link.generation();
    if (generation === 0) return;
    if (generation !== seenGeneration) await greet(generation);
    const again = plan.resend(clock.monotonic());
    if (again > 0) {
      log.info({ messages: again }, 'messages without a receipt go again');
      void ask();
    }
    fill(generation);
  }

  return {
    async run(signal) {
      while (!signal.aborted) {
        try {
          await turn();
          faults.over('outbox-read', 'outbox can be read again');
        } catch (err) {
          if (!(err instanceof OutboxError) || err.code !== 'disk') throw err;
          faults.fault('outbox-read', 'outbox cannot be read', { err });
        }
        await bell.heard(TURN_MS, signal);
      }
    },
    onReceipt(ranges, { received, lostFrom }) {
      plan.received(ranges, received > 0, clock.monotonic());
      if (lostFrom !== null) {
        log.info({ fromSeq: lostFrom }, 'cloud lost messages, they go again');
        plan.rewind(lostFrom);
      }
      bell.ring();
    },
  };
}

const halved = (window: number): number => Math.max(1, Math.floor(window / 2));
