import { setImmediate as turn } from 'node:timers/promises';
import type { Clock, Wait } from '../base/clock.ts';

/** Time that passes only when a test says so. */
export interface VirtualTime {
  readonly clock: Clock;
  readonly wait: Wait;
  /** Lets `ms` pass: every waiter wakes at its own moment, in order, and what it starts is run before time goes on. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock forward or back; the monotonic clock does not notice. */
  jump(ms: number): void;
}

interface Waiter {
  readonly at: number;
  readonly resolve: () => void;
}

export function createVirtualTime(startMs: number): VirtualTime {
  let elapsed = 0;
  let shift = 0;
  let waiters: Waiter[] = [];

  /** Runs everything that can run without time passing. */
  async function settle(): Promise<void> {
    for (let i = 0; i < 5; i += 1) await turn();
  }

  return {
    clock: { now: () => startMs + shift + elapsed, monotonic: () => elapsed },
    wait: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) {
          resolve();
          return;
        }
        const onAbort = (): void => {
          waiters = waiters.filter((other) => other !== waiter);
          resolve();
        };
        const waiter: Waiter = {
          at: elapsed + Math.max(0, ms),
          resolve: () => {
            // A month of waiting must not leave a month of listeners.
            signal.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        waiters.push(waiter);
        signal.addEventListener('abort', onAbort);
      }),
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (;;) {
        const next = waiters.toSorted((a, b) => a.at - b.at)[0];
        if (!next || next.at > until) break;
        waiters = waiters.filter((waiter) => waiter !== next);
        elapsed = next.at;
        next.resolve();
        await settle();
      }
      elapsed = until;
    },
    jump(ms) {
      shift += ms;
    },
  };
}
