import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

/** Changes of one moment go into one commit: a commit waits for the disk, and everything else waits for the commit, ms. */
const GATHER_MS = 4;

export type Row = Readonly<Record<string, unknown>>;

/** A file whose changes are on the disk when they say so. */
export interface Store {
  /** Resolves when the change is on the disk, in the order asked; rejects when it is not, and nothing of it remains. */
  write(sql: string, ...values: readonly SQLInputValue[]): Promise<void>;
  /** What is in the file, without changes that still wait. */
  rows(sql: string): Row[];
  /** Commits what waits, then lets go of the file. Safe when called twice. */
  close(): void;
}

interface Change {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
  done(): void;
  fail(error: unknown): void;
}

/** `db` belongs to the store from here on. */
export function createStore(db: DatabaseSync): Store {
  const statements = new Map<string, StatementSync>();
  let waiting: Change[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isOpen = true;

  function statementOf(sql: string): StatementSync {
    const known = statements.get(sql) ?? db.prepare(sql);
    statements.set(sql, known);
    return known;
  }

  function commit(): void {
    clearTimeout(timer);
    timer = undefined;
    const changes = waiting;
    waiting = [];
    const error = attempt(changes);
    if (error === undefined) return;
    // One that cannot be made must not take the others of its moment with it.
    for (const change of changes) {
      const own = changes.length === 1 ? error : attempt([change]);
      if (own !== undefined) change.fail(own);
    }
  }

  /** One commit. @returns why there was none; nothing was changed then. */
  function attempt(changes: readonly Change[]): unknown {
    if (changes.length === 0) return undefined;
    try {
      db.exec('BEGIN IMMEDIATE');
      for (const { sql, values } of changes) statementOf(sql).run(...values);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      return error ?? new Error('no reason');
    }
    for (const { done } of changes) done();
    return undefined;
  }

  return {
    write(sql, ...values) {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      if (!isOpen) {
        reject(new Error('the store is closed'));
        return promise;
      }
      waiting.push({ sql, values, done: () => resolve(undefined), fail: reject });
      timer ??= setTimeout(commit, GATHER_MS);
      return promise;
    },
    rows: (sql) => db.prepare(sql).all() as Row[],
    close() {
      if (!isOpen) return;
      commit();
      isOpen = false;
      db.close();
    },
  };
}
