import { DriverError } from '@parkline/kit';

/** Runs jobs one after another. */
export interface SerialQueue {
  /**
   * Waits for its turn and runs the job. When `signal` aborts, the caller leaves at once with DriverError 'aborted'; a job that
   * runs goes on in its back, because a request in flight cannot be called back.
   */
  run<T>(job: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createSerialQueue(where: string): SerialQueue {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(job, signal) {
      if (signal.aborted) return Promise.reject(aborted(where));
      const running = last.then(() => {
        if (signal.aborted) throw aborted(where);
        return job();
      });
      // Its result is nobody's here: kept, the last answer of each device would stay in memory until the next.
      const over = (): undefined => undefined;
      last = running.then(over, over);
      return untilAborted(running, signal, where);
    },
  };
}

export const aborted = (where: string): DriverError => new DriverError('aborted', 'given up', where);

/** The promise, or a rejection when the signal aborts first. The work itself goes on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal, where: string): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined);
    return Promise.reject(aborted(where));
  }
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted(where));
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** A number of places that jobs of all devices share. */
export interface Slots {
  use<T>(job: () => Promise<T>): Promise<T>;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    async use(job) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await job();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else free += 1;
      }
    },
  };
}
