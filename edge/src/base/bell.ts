import type { Wait } from './clock.ts';

/** Lets a loop sleep until something happens. A ring while nobody listens is remembered, so none is missed. */
export interface Bell {
  ring(): void;
  /** Resolves on a ring, after `ms`, or when `signal` aborts. For one listener. */
  heard(ms: number, signal: AbortSignal): Promise<void>;
}

export function createBell(wait: Wait): Bell {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      wake?.();
    },
    async heard(ms, signal) {
      if (!rung && !signal.aborted) {
        const sleep = new AbortController();
        wake = () => {
          sleep.abort();
        };
        signal.addEventListener('abort', wake, { once: true });
        await wait(ms, sleep.signal);
        signal.removeEventListener('abort', wake);
        wake = undefined;
      }
      rung = false;
    },
  };
}
