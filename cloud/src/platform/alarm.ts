import type { Wait } from './clock.ts';

/** Ends a pause early. A ring while nobody waits counts for the next pause, so none is missed. */
export interface Alarm {
  ring(): void;
  /** Resolves on a ring, after the time, or when the signal aborts. For one who waits. */
  readonly wait: Wait;
}

export function createAlarm(wait: Wait): Alarm {
  let woken = new AbortController();
  return {
    ring: () => woken.abort(),
    async wait(ms, signal) {
      await wait(ms, AbortSignal.any([signal, woken.signal]));
      woken = new AbortController();
    },
  };
}
