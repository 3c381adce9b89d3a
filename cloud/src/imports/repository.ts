import { type JSONColumnType, sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { Values } from './kind.ts';

declare module '../platform/db.ts' {
  interface Tables {
    importBatch: {
      id: string;
      accountId: string;
      kind: string;
      file: string | null;
      at: Date;
      personId: string | null;
      added: number;
      changed: number;
      undoneAt: Date | null;
    };
    importRow: {
      accountId: string;
      batchId: string;
      ord: number;
      subjectId: string;
      key: string;
      before: JSONColumnType<Values> | null;
      after: JSONColumnType<Values>;
      version: number;
    };
  }
}

export interface BatchRow {
  readonly subjectId: string;
  readonly key: string;
  readonly before: Values | null;
  readonly after: Values;
  readonly version: number;
}

export interface Batch {
  readonly id: string;
  readonly accountId: string;
  readonly kind: string;
  readonly file: string | null;
  readonly at: Date;
  readonly personId: string | null;
  readonly added: number;
  readonly changed: number;
  readonly undoneAt: Date | null;
}

/** How long an import can be taken back: what its rows were before is kept so long. */
const KEPT_DAYS = 30;

export const batches = {
  async add(trx: Db, batch: Omit<Batch, 'undoneAt'>, rows: readonly BatchRow[]): Promise<void> {
    await trx
      .insertInto('importBatch')
      .values({ ...batch, undoneAt: null })
      .execute();
    await sql`
      insert into import_row (account_id, batch_id, ord, subject_id, key, before, after, version)
      select ${batch.accountId}, ${batch.id}, ord, (r ->> 'subjectId')::uuid, r ->> 'key',
        nullif(r -> 'before', 'null'), r -> 'after', (r ->> 'version')::int
      from jsonb_array_elements(${JSON.stringify(rows)}::jsonb) with ordinality as e (r, ord)`.execute(trx);
    await sql`
      delete from import_row r using import_batch b
      where b.account_id = ${batch.accountId} and r.batch_id = b.id
        and b.at < ${batch.at}::timestamptz - make_interval(days => ${KEPT_DAYS})`.execute(trx);
  },

  /** Newest first, of these kinds. */
  async page(
    db: Db,
    accountId: string,
    { kinds, after, limit }: { kinds: readonly string[]; after?: string | undefined; limit: number },
  ): Promise<Batch[]> {
    if (kinds.length === 0) return [];
    let query = db
      .selectFrom('importBatch')
      .selectAll()
      .where('accountId', '=', accountId)
      .where('kind', 'in', kinds);
    if (after !== undefined) query = query.where('id', '<', after);
    return query.orderBy('id', 'desc').limit(limit).execute();
  },

  /** Locked, with its rows; none where they are no longer kept. */
  async lock(
    trx: Db,
    accountId: string,
    id: string,
  ): Promise<{ batch: Batch; rows: BatchRow[] } | undefined> {
    const batch = await trx
      .selectFrom('importBatch')
      .selectAll()
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    if (!batch) return undefined;
    const rows = await trx
      .selectFrom('importRow')
      .select(['subjectId', 'key', 'before', 'after', 'version'])
      .where('accountId', '=', accountId)
      .where('batchId', '=', id)
      .orderBy('ord')
      .execute();
    return { batch, rows };
  },

  async setUndone(trx: Db, accountId: string, id: string, at: Date): Promise<void> {
    await trx
      .updateTable('importBatch')
      .set({ undoneAt: at })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  /** Whoever brings in things of a kind waits for who does so already. Held until the transaction ends. */
  async lockKind(trx: Db, accountId: string, kind: string): Promise<void> {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`import ${accountId} ${kind}`}, 0))`.execute(
      trx,
    );
  },
};
