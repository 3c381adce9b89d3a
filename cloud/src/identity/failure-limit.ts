/** Counts failures by key in fixed windows, in memory: each process guards itself. */
export interface FailureLimit {
  /** Seconds until `key` may try again; 0: now. */
  waitS(key: string): number;
  /** Called before the attempt, so that many at once count at once. */
  note(key: string): void;
  /** The attempt succeeded after all. */
  forgive(key: string): void;
}

/** Keys held at most; past it the oldest window goes, so that a flood of addresses cannot fill the memory. */
const MAX_KEYS = 10_000;

export function createFailureLimit(deps: {
  readonly max: number;
  readonly windowMs: number;
  readonly now: () => Date;
}): FailureLimit {
  const windows = new Map<string, { endsAt: number; count: number }>();

  function current(key: string) {
    const window = windows.get(key);
    if (window && window.endsAt > deps.now().getTime()) return window;
    windows.delete(key);
    return undefined;
  }

  return {
    waitS(key) {
      const window = current(key);
      if (!window || window.count < deps.max) return 0;
      return Math.ceil((window.endsAt - deps.now().getTime()) / 1_000);
    },
    note(key) {
      const window = current(key) ?? { endsAt: deps.now().getTime() + deps.windowMs, count: 0 };
      window.count += 1;
      windows.set(key, window);
      const [oldest] = windows.keys();
      if (windows.size > MAX_KEYS && oldest !== undefined) windows.delete(oldest);
    },
    forgive(key) {
      const window = current(key);
      if (window) window.count -= 1;
    },
  };
}
