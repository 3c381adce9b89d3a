import { setTimeout as sleep } from 'node:timers/promises';

/** The process's clock, handed down as a dependency so that tests set the time. */
export type Now = () => Date;
export const systemNow: Now = () => new Date();

/** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;
export const systemWait: Wait = async (ms, signal) => {
  await sleep(ms, undefined, { signal }).catch(() => undefined); // Only an abort rejects, and an abort is an answer.
};
