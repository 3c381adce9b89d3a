/**
 * Yields `known` and then what comes, for `ms` or until `signal` aborts.
 * @param follow Calls back with each that comes; its result ends that.
 */
export async function* following<T>(
  known: readonly T[],
  follow: (onNext: (one: T) => void) => () => void,
  ms: number,
  signal: AbortSignal,
): AsyncGenerator<T> {
  const waiting: T[] = [...known];
  let wake = (): void => undefined;
  const end = follow((one) => {
    waiting.push(one);
    wake();
  });
  const over = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  const onOver = (): void => {
    wake();
  };
  over.addEventListener('abort', onOver);
  try {
    for (;;) {
      yield* waiting.splice(0);
      if (over.aborted) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (waiting.length > 0) resolve();
      });
    }
  } finally {
    over.removeEventListener('abort', onOver);
    end();
  }
}
