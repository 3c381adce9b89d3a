import type { Wait } from '../base/clock.ts';

const LOOK_MS = 1_000;

/**
 * Calls `gone` when the process that started this one is no more, unless `signal` aborts before: a launcher that was killed would
 * otherwise start a second gateway in the same home.
 */
export async function followParent(wait: Wait, gone: () => void, signal: AbortSignal): Promise<void> {
  const parent = process.ppid;
  while (!signal.aborted) {
    if (process.ppid !== parent) {
      gone();
      return;
    }
    await wait(LOOK_MS, signal);
  }
}
