import type pg from 'pg';
import type { Logger } from 'pino';
import type { Wait } from './clock.ts';

export interface ListenerDeps {
  readonly pool: pg.Pool;
  readonly channel: string;
  /** Called for each notice; must not throw. */
  readonly onNotice: (payload: string) => void;
  /** Called whenever listening (re)starts: what was notified before is lost, so look at everything. */
  readonly onConnect: () => void;
  readonly wait: Wait;
  readonly log: Logger;
}

const RECONNECT_MS = 1_000;
/** How often a connection on which nothing comes is asked whether it lives. */
const PROBE_MS = 15_000;

/** Hears a channel of the database until `signal` aborts, over one connection of the pool; a lost one is replaced. */
export async function runListener(deps: ListenerDeps, signal: AbortSignal): Promise<void> {
  const { pool, wait, log, channel } = deps;
  for (let failures = 0; !signal.aborted;) {
    try {
      await listenOnce(deps, signal, () => (failures = 0));
    } catch (err) {
      if (signal.aborted) return;
      if (failures % 60 === 0) log.warn({ err, channel, failures }, 'database does not notify');
      failures += 1;
      await wait(RECONNECT_MS, signal);
    }
  }

  async function listenOnce(
    { onNotice, onConnect }: ListenerDeps,
    until: AbortSignal,
    onSuccess: () => void,
  ): Promise<void> {
    const client = await pool.connect();
    const lost = new AbortController();
    const drop = (): void => lost.abort();
    const hear = ({ payload }: pg.Notification): void => onNotice(payload ?? '');
    client.on('notification', hear).once('error', drop).once('end', drop);
    try {
      await client.query(`listen ${channel}`);
      onSuccess();
      onConnect();
      const either = AbortSignal.any([until, lost.signal]);
      while (!either.aborted) {
        await wait(PROBE_MS, either);
        if (!until.aborted) await client.query('select 1');
      }
    } finally {
      client.off('notification', hear).off('error', drop).off('end', drop);
      client.release(true); // Never back into the pool: it still listens.
    }
  }
}
