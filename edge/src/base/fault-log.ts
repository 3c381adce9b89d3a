import type { Logger } from 'pino';
import type { Clock } from './clock.ts';

const REMIND_MS = 60_000;

/** Logs a lasting fault when it begins, when its text changes and once a minute; then once when it is over. */
export interface FaultLog {
  fault(key: string, message: string, facts?: object): void;
  /** Says `message` if `key` was at fault. */
  over(key: string, message: string, facts?: object): void;
}

export function createFaultLog(log: Pick<Logger, 'warn' | 'info'>, clock: Clock): FaultLog {
  const open = new Map<string, { text: string; saidAt: number; since: number }>();
  return {
    fault(key, message, facts = {}) {
      const now = clock.monotonic();
      const text = `${message} ${describe(facts)}`;
      const known = open.get(key);
      if (known?.text === text && now - known.saidAt < REMIND_MS) return;
      open.set(key, { text, saidAt: now, since: known?.since ?? now });
      log.warn({ ...facts, key }, message);
    },
    over(key, message, facts = {}) {
      const known = open.get(key);
      if (!known) return;
      open.delete(key);
      log.info({ ...facts, key, lastedMs: Math.round(clock.monotonic() - known.since) }, message);
    },
  };
}

/** Counts and times change with every repeat, a pause of 1834 ms in a message, too; only the error decides whether it is news. */
function describe(facts: object): string {
  const { err, why } = facts as { err?: unknown; why?: unknown };
  const text = `${err instanceof Error ? err.message : String(err)} ${String(why)}`;
  return text.replaceAll(/\d+ m?s\b/g, '');
}
