import type { Logger } from 'pino';
import type { Now, Wait } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { type IdleTimes, sessionGate } from './session-store.ts';

const HOUR_MS = 3_600_000;

/** Deletes sessions that are over, once an hour, until `signal` aborts. They are dead without it; this keeps the table small. */
export async function runSessionSweep(
  deps: {
    readonly db: Db;
    readonly now: Now;
    readonly wait: Wait;
    readonly log: Logger;
    readonly idle: IdleTimes;
  },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const swept = await sessionGate.sweep(deps.db, deps.now(), deps.idle);
      if (swept > 0) deps.log.debug({ swept }, 'sessions swept');
    } catch (err) {
      deps.log.warn({ err }, 'sessions not swept');
    }
    await deps.wait(HOUR_MS, signal);
  }
}
