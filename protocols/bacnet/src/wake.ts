import { setTimeout as sleep } from 'node:timers/promises';

/** A sleep that can be cut short. */
export function createWake(signal: AbortSignal) {
  let early = new AbortController();
  return {
    now: (): void => early.abort(),
    /** @param ms For ever when absent. Resolves early when woken, also when that was before, and when the signal aborts. */
    async after(ms = 2 ** 31 - 1): Promise<void> {
      await sleep(ms, undefined, { signal: AbortSignal.any([early.signal, signal]) }).catch(() => undefined);
      if (early.signal.aborted) early = new AbortController();
    },
  };
}
