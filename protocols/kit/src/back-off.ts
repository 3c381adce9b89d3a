export interface BackOffLimits {
  /** Wait after the first failure, ms; doubles with each further one. */
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Remembers how often something failed in a row, and until when it is left alone. */
export interface BackOff {
  /** ms until the next try; 0 when it may be tried now. */
  waitMs(): number;
  fail(): void;
  succeed(): void;
}

/** @param random In [0, 1): the wait is spread by a quarter either way, so that gateways do not knock in step. */
export function createBackOff(
  { firstMs, mostMs }: BackOffLimits,
  now: () => number,
  random: () => number,
): BackOff {
  let failures = 0;
  let failedAt = 0;
  let pauseMs = 0;
  return {
    waitMs() {
      const goneMs = now() - failedAt;
      return goneMs < 0 ? 0 : Math.max(0, pauseMs - goneMs); // A clock that was set back must not prolong it.
    },
    fail() {
      pauseMs = Math.min(mostMs, firstMs * 2 ** Math.min(failures, 30)) * (0.75 + random() / 2);
      failures += 1;
      failedAt = now();
    },
    succeed() {
      failures = 0;
      pauseMs = 0;
    },
  };
}
