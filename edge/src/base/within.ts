import { DriverError } from '@parkline/kit';
import type { Wait } from './clock.ts';

/** A driver that does not give up when it is told to is left behind after this time, ms. */
const GIVE_UP_MS = 1_000;

/**
 * Runs `work` with a signal that also aborts after `ms`. Rejects soon after that, even when `work` goes on.
 * @throws DriverError 'timeout' then, else whatever `work` rejects with.
 */
export async function within<T>(
  ms: number,
  wait: Wait,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const stop = (): void => {
    limit.abort();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  void wait(ms, limit.signal).then(stop);
  const over = new AbortController();
  const { promise: leftBehind, reject } = Promise.withResolvers<never>();
  const leave = (): void => {
    reject(new DriverError('timeout', 'the driver neither answers nor gives up', 'driver'));
  };
  const count = (): void => void wait(GIVE_UP_MS, over.signal).then(leave);
  if (limit.signal.aborted) count();
  else limit.signal.addEventListener('abort', count, { once: true });
  try {
    return await Promise.race([work(limit.signal), leftBehind]);
  } finally {
    signal.removeEventListener('abort', stop);
    over.abort();
    stop();
    leftBehind.catch(() => undefined); // Nobody waits for it any more.
  }
}
