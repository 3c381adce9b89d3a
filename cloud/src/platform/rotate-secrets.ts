import { sql } from 'kysely';
import { type Db, withAccount } from './db.ts';
import { sealedPlace, type Secrets } from './secrets.ts';

/** A column that holds sealed text, of a table with account_id. */
export interface SealedColumn {
  readonly table: string;
  readonly column: `sealed_${string}`;
  /** Primary key, in its order. */
  readonly key: readonly string[];
}

interface SealedRow {
  readonly key: readonly string[];
  readonly sealed: string;
}

/** Rows that are sealed anew in one transaction: a rotation that is cut short has lost nothing and goes on from there. */
const BATCH = 200;

/** Every column of the database that is named `sealed_*`: none can be forgotten by rotation. @throws Error on a table without a primary key. */
export async function sealedColumns(db: Db): Promise<readonly SealedColumn[]> {
  const { rows } = await sql<{ table: string; column: `sealed_${string}`; key: string[] | null }>`
    select c.relname as "table", a.attname as "column",
      (select array_agg(k.attname::text order by array_position(i.indkey::int2[], k.attnum))
       from pg_index i join pg_attribute k on k.attrelid = i.indrelid and k.attnum = any(i.indkey)
       where i.indrelid = c.oid and i.indisprimary) as "key"
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped and a.attname ^@ 'sealed_'
    order by 1, 2`.execute(db);
  return rows.map(({ key, ...column }) => {
    if (!key)
      throw new Error(`${column.table}.${column.column} cannot be rotated: its table has no primary key`);
    return { ...column, key };
  });
}

/**
 * Seals anew, with the current key, what is sealed with an older one. Safe to cut short, to repeat and to run beside
 * working processes: a secret that was changed meanwhile is left as it is. @returns how many were sealed anew.
 * @throws AppError 'unavailable' naming the first secret that its key does not open.
 */
export async function rotateSecrets(db: Db, secrets: Secrets): Promise<number> {
  let count = 0;
  for (const of of await sealedColumns(db))
    for (const accountId of await accountIds(db)) count += await rotateColumn(db, accountId, of, secrets);
  return count;
}

async function rotateColumn(db: Db, accountId: string, of: SealedColumn, secrets: Secrets): Promise<number> {
  let count = 0;
  let after: readonly string[] = [];
  for (;;) {
    const { rows, renewed } = await withAccount(db, accountId, async (trx) => {
      const found = await page(trx, accountId, of, after);
      let done = 0;
      for (const row of found) if (!secrets.isCurrent(row.sealed)) done += await renew(trx, of, row, secrets);
      return { rows: found, renewed: done };
    });
    count += renewed;
    const last = rows.at(-1);
    if (!last || rows.length < BATCH) return count;
    after = last.key;
  }
}

const keyOf = ({ key }: SealedColumn) =>
  sql`array[${sql.join(key.map((name) => sql`${sql.ref(name)}::text`))}]`;

async function page(
  db: Db,
  accountId: string,
  of: SealedColumn,
  after: readonly string[],
): Promise<readonly SealedRow[]> {
  const { rows } = await sql<SealedRow>`
    select ${keyOf(of)} as key, ${sql.ref(of.column)} as sealed from ${sql.table(of.table)}
    where account_id = ${accountId} and ${sql.ref(of.column)} is not null and ${keyOf(of)} > ${after}::text[]
    order by 1 limit ${BATCH}`.execute(db);
  return rows;
}

async function renew(
  db: Db,
  of: SealedColumn,
  { key, sealed }: SealedRow,
  secrets: Secrets,
): Promise<number> {
  const place = sealedPlace(of.table, of.column, ...key);
  const renewed = secrets.seal(secrets.open(sealed, place), place);
  const { numAffectedRows = 0n } = await sql`
    update ${sql.table(of.table)} set ${sql.ref(of.column)} = ${renewed}
    where ${keyOf(of)} = ${key}::text[] and ${sql.ref(of.column)} = ${sealed}`.execute(db);
  return Number(numAffectedRows);
}

/** How many secrets are sealed with which key: one that seals none may leave the file. */
export async function countByKey(db: Db): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const of of await sealedColumns(db))
    for (const accountId of await accountIds(db)) {
      const { rows } = await withAccount(db, accountId, (trx) =>
        sql<{ sealed: string; n: number }>`
          select split_part(${sql.ref(of.column)}, ':', 3) as sealed, count(*)::int as n from ${sql.table(of.table)}
          where account_id = ${accountId} and ${sql.ref(of.column)} is not null group by 1`.execute(trx),
      );
      for (const { sealed, n } of rows) counts.set(sealed, (counts.get(sealed) ?? 0) + n);
    }
  return counts;
}

async function accountIds(db: Db): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`select id from all_accounts()`.execute(db);
  return rows.map(({ id }) => id);
}
