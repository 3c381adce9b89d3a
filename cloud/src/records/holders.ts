import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import { holderName } from './holder-words.ts';

/** What names a row and so keeps it from being deleted. */
export interface Holder {
  /** Table: 'floor', 'lease'. */
  readonly what: string;
  readonly name: LocalText;
  readonly count: number;
  /** Keys of the first of them, where they have keys. */
  readonly keys: readonly string[];
}

interface Reference {
  readonly name: string;
  readonly column: string;
  readonly hasKey: boolean;
  /** A table with keys that the rows belong to, and the column that names it: lease_space belongs to a lease. */
  readonly through: string | null;
  readonly throughColumn: string | null;
}

/**
 * Who refers to a row by a foreign key that does not go with it. Asked of the catalogue, so that no slice need know which
 * others build on it. Shows only what the transaction may see: the foreign key itself has the last word.
 */
export async function holdersOf(trx: Db, table: string, accountId: string, id: string): Promise<Holder[]> {
  const { rows } = await sql<Reference>`
    select c.conrelid::regclass::text as name, a.attname as "column",
      exists (select from pg_attribute k where k.attrelid = c.conrelid and k.attname = 'key') as has_key,
      t.name as through, t.column as through_column
    from pg_constraint c
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[cardinality(c.conkey)]
    left join lateral (
      select o.confrelid::regclass::text as name, oa.attname as "column"
      from pg_constraint o
      join pg_attribute oa on oa.attrelid = o.conrelid and oa.attnum = o.conkey[cardinality(o.conkey)]
      join pg_attribute ok on ok.attrelid = o.confrelid and ok.attname = 'key'
      where o.conrelid = c.conrelid and o.contype = 'f' and o.confrelid <> c.confrelid
        and o.confrelid <> 'account'::regclass
      order by o.conname limit 1
    ) t on true
    where c.contype = 'f' and c.confrelid = ${table}::regclass and c.confdeltype = 'a'
      and has_table_privilege(c.conrelid, 'select')
    order by 1`.execute(trx);
  const holders: Holder[] = [];
  for (const reference of rows) {
    const holder = await holderBy(trx, reference, accountId, id);
    if (holder.count > 0) holders.push(holder);
  }
  return holders;
}

async function holderBy(
  trx: Db,
  { name, column, hasKey, through, throughColumn }: Reference,
  accountId: string,
  id: string,
): Promise<Holder> {
  const [what, key] =
    hasKey || through === null
      ? [name, hasKey ? sql.ref('r.key') : sql`null::text`]
      : [through, sql.ref('t.key')];
  const join =
    hasKey || through === null
      ? sql``
      : sql`join ${sql.table(through)} t on t.id = ${sql.ref(`r.${throughColumn ?? 'id'}`)}`;
  const { rows } = await sql<{ count: number; keys: string[] | null }>`
    select count(*)::int as count, (array_agg(${key} order by ${key}))[1:5] as keys
    from ${sql.table(name)} r ${join}
    where r.account_id = ${accountId} and ${sql.ref(`r.${column}`)} = ${id}`.execute(trx);
  const { count = 0, keys } = rows[0] ?? {};
  return { what, name: holderName(what), count, keys: (keys ?? []).filter((one) => one !== null) };
}
