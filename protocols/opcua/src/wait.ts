import { DriverError } from '@parkline/kit';

/** How long something may take, and who may end it sooner. */
export interface Patience {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly where: string;
  /** What is waited for: 'an answer'. */
  readonly what: string;
}

/**
 * What `work` gives, unless patience ends first. `work` goes on then, and nobody hears of it.
 * @throws DriverError 'timeout' or 'aborted', or what `work` rejects with.
 */
export async function within<T>(work: Promise<T>, { signal, timeoutMs, where, what }: Patience): Promise<T> {
  work.catch(() => undefined); // It may fail after the race is over.
  signalled(signal, where);
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new DriverError('timeout', `no ${what} within ${timeoutMs} ms`, where)),
    timeoutMs,
  );
  const stop = (): void => reject(aborted(where));
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** @throws DriverError 'aborted' when `signal` already is. */
export function signalled(signal: AbortSignal, where: string): void {
  if (signal.aborted) throw aborted(where);
}

const aborted = (where: string): DriverError =>
  new DriverError('aborted', 'the caller gave up waiting', where);
