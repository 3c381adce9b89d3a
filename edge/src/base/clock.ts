import { setTimeout as sleep } from 'node:timers/promises';

/** The only source of time in the gateway, so that tests and the fault suite can bend it. */
export interface Clock {
  /** Unix ms. May jump when somebody sets the clock. */
  now(): number;
  /** ms since some fixed start. Never jumps, says nothing about the date. */
  monotonic(): number;
}

/** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

export const systemWait: Wait = async (ms, signal) => {
  // The only rejection is the abort itself, and the caller looks at the signal anyway.
  await sleep(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
};
