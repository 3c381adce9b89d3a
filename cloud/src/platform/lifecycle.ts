import type { Logger } from 'pino';
import { createLog } from './log.ts';

/** One part of a process. */
export interface Part {
  /** Resolves when the part has ended by the signal; rejects when it broke. */
  readonly done: Promise<unknown>;
  /** Lets go of what the part holds. Called once, after `done`. */
  stop(): Promise<void>;
}

/** Longest a clean stop may take before the process ends anyway. */
const STOP_WITHIN_MS = 2_500;

/**
 * Runs a process: starts its parts, says "ready", and on SIGTERM or SIGINT ends them in reverse order of start.
 * A part that breaks ends the process with 1, and whoever supervises it starts a clean one.
 */
export async function runProcess(
  log: Logger,
  start: (signal: AbortSignal) => Promise<Part[]>,
): Promise<void> {
  const stopping = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    log.info({ signal: name }, 'stopping');
    stopping.abort();
    setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref();
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  try {
    const parts = await start(stopping.signal);
    log.info('ready');
    await Promise.all(parts.map(({ done }) => done));
    for (const part of parts.reverse()) await part.stop();
    process.exit(0);
  } catch (err) {
    if (stopping.signal.aborted) process.exit(0); // Stopped while starting: what was half open breaks, as it must.
    log.fatal({ err }, 'process failed');
    process.exit(1);
  }
}

/** For what happens before there is a log: its failure is one log line and exit 1, without a stack. */
export function orExit<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    createLog('info').fatal({ why: error instanceof Error ? error.message : String(error) }, 'cannot start');
    process.exit(1);
  }
}
