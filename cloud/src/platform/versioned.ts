import type { Kysely, Updateable } from 'kysely';
import type { Db, Tables } from './db.ts';

/** Tables whose rows belong to an account and count how often they were saved. */
export type VersionedTable = {
  [T in keyof Tables]: Tables[T] extends { accountId: unknown; id: unknown; version: unknown } ? T : never;
}[keyof Tables];

/** A row as it was read. */
export interface Versioned {
  readonly accountId: string;
  readonly id: string;
  readonly version: number;
}

/** A query that serves each of these tables knows only what they share. */
const shared = (db: Db, table: VersionedTable) => ({
  rows: db as unknown as Kysely<{ versioned: Versioned }>,
  name: table as string as 'versioned',
});

/** Saves unless somebody else saved since the row was read. @returns whether it was saved; false also where the row is not there. */
export async function changeVersioned<T extends VersionedTable>(
  db: Db,
  table: T,
  { accountId, id, version }: Versioned,
  change: Updateable<Tables[T]>,
): Promise<boolean> {
  const { rows, name } = shared(db, table);
  const { numUpdatedRows } = await rows
    .updateTable(name)
    .set({ ...(change as object), version: version + 1 })
    .where('accountId', '=', accountId)
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/**
 * Deletes unless somebody saved since the row was read. @returns whether it is gone by this; false also where it was not there.
 * @throws the database's error 23503 while something hangs on it.
 */
export async function removeVersioned(
  db: Db,
  table: VersionedTable,
  { accountId, id, version }: Versioned,
): Promise<boolean> {
  const { rows, name } = shared(db, table);
  const { numDeletedRows } = await rows
    .deleteFrom(name)
    .where('accountId', '=', accountId)
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}
