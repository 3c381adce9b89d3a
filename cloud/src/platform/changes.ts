import { Changed, type ChangeTopic, changeTopics } from '@parkline/contract';
import { sql } from 'kysely';
import type { ClientBase, Pool } from 'pg';
import type { Logger } from 'pino';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import type { Wait } from './clock.ts';
import type { Db } from './db.ts';
import { runListener } from './listen.ts';

const CHANNEL = 'parkline_changed';
const Notice = Compile(Type.Object({ accountId: Type.String(), ...Changed.properties }));

/** Tells every open page of the account, when this transaction commits, that lists are to be loaded again. */
export async function notifyChanged(
  trx: Db,
  accountId: string,
  ...topics: readonly ChangeTopic[]
): Promise<void> {
  await sql`select pg_notify(${CHANNEL}, ${JSON.stringify({ accountId, topics })})`.execute(trx);
}

/** The same on a raw connection, for ingest. */
export async function notifyChangedOn(
  client: ClientBase,
  accountId: string,
  ...topics: readonly ChangeTopic[]
): Promise<void> {
  await client.query('select pg_notify($1, $2)', [CHANNEL, JSON.stringify({ accountId, topics })]);
}

/** Called with what changed; must not throw. */
export type ChangeListener = (topics: readonly ChangeTopic[]) => void;

/** Hands the database's notices to any number of streams over one connection. */
export interface ChangeHub {
  /** @returns what ends listening. */
  listen(accountId: string, listener: ChangeListener): () => void;
  /** Hears the database until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function createChangeHub(deps: {
  readonly pool: Pool;
  readonly wait: Wait;
  readonly log: Logger;
}): ChangeHub {
  const accounts = new Map<string, Set<ChangeListener>>();

  function onNotice(payload: string): void {
    const notice: unknown = JSON.parse(payload);
    if (!Notice.Check(notice)) return deps.log.warn({ payload }, 'change not understood');
    for (const listener of accounts.get(notice.accountId) ?? []) listener(notice.topics);
  }

  /** Whatever was notified while nobody heard: everybody looks at everything. */
  function onConnect(): void {
    for (const listeners of accounts.values()) for (const listener of listeners) listener(changeTopics);
  }

  return {
    listen(accountId, listener) {
      const listeners = accounts.get(accountId) ?? new Set();
      accounts.set(accountId, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && accounts.get(accountId) === listeners) accounts.delete(accountId);
      };
    },
    run: (signal) => runListener({ ...deps, channel: CHANNEL, onNotice, onConnect }, signal),
  };
}
