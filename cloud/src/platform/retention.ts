import type { Logger } from 'pino';
import type { Now, Wait } from './clock.ts';
import type { Db } from './db.ts';

/** What may be kept for a time and no longer. */
export interface Retention {
  /** What is dropped, for the log: 'audit entries'. */
  readonly what: string;
  /** Drops what is over its time, a bounded number at a call. @returns how many. */
  readonly drop: (db: Db, now: Date) => Promise<number>;
}

const DAY_MS = 86_400_000;
/** A table that was never swept is done in bites, so that nobody else waits for it. */
const MOST_BITES = 1_000;

/** Once at the start and then daily: drops what is over its time, until `signal` aborts. One failing leaves the others alone. */
export async function runRetention(
  deps: {
    readonly db: Db;
    readonly rules: readonly Retention[];
    readonly now: Now;
    readonly wait: Wait;
    readonly log: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    for (const rule of deps.rules) await sweep(deps, rule, signal);
    await deps.wait(DAY_MS, signal);
  }
}

async function sweep(
  { db, now, log }: { readonly db: Db; readonly now: Now; readonly log: Logger },
  { what, drop }: Retention,
  signal: AbortSignal,
): Promise<void> {
  let dropped = 0;
  try {
    for (let bite = 0; bite < MOST_BITES && !signal.aborted; bite += 1) {
      const some = await drop(db, now());
      dropped += some;
      if (some === 0) break;
    }
    if (dropped > 0) log.info({ what, dropped }, 'dropped what was over its time');
  } catch (err) {
    log.warn({ what, dropped, err }, 'not dropped what is over its time');
  }
}
