import './tables.ts';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';

export interface AuditEntry {
  readonly accountId: string;
  readonly at: Date;
  /** Who did it; null for the system itself. */
  readonly personId: string | null;
  /** `<thing>.<what happened>`, 'session.opened'. */
  readonly action: string;
  /** What it was done to. */
  readonly subjectId?: string;
  /** The fields that changed, as they were and as they are; never a secret. */
  readonly before?: object;
  readonly after?: object;
  /** What else is worth knowing. */
  readonly details?: object;
  readonly ip?: string;
  /** Left out: it was done. */
  readonly result?: 'refused';
  /** Why it was refused: a code of the API, or a word of the thing itself; nothing personal, it is never erased. */
  readonly reason?: string;
}

/**
 * Notes what was done, in the same transaction as the deed. The entry gets its place in the account's chain when the
 * transaction commits. The services can add and never change, leave out or, through their own rights, read.
 */
export const audit = (db: Db, entry: AuditEntry): Promise<void> => auditAll(db, [entry]);

/** PostgreSQL takes 65,535 values at once, and an entry has eight. */
const MOST_AT_ONCE = 5_000;

/** As `audit`, for deeds that were done together; they stand in the chain in this order. */
export async function auditAll(db: Db, entries: readonly AuditEntry[]): Promise<void> {
  const rows = entries.map(
    ({
      accountId,
      at,
      personId,
      action,
      subjectId = null,
      result = 'done' as const,
      reason = null,
      ...rest
    }) => ({
      ...{ accountId, at, personId, action, subjectId, result, reason },
      content: Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
    }),
  );
  for (let from = 0; from < rows.length; from += MOST_AT_ONCE)
    await db
      .insertInto('auditEvent')
      .values(rows.slice(from, from + MOST_AT_ONCE))
      .execute();
}

/** An entry as it is read. */
export interface AuditRow {
  readonly seq: number;
  readonly at: Date;
  readonly personId: string | null;
  readonly personName: string | null;
  readonly action: string;
  readonly subjectId: string | null;
  /** Of whom it was done to, where it is a person. */
  readonly subjectName: string | null;
  readonly result: 'done' | 'refused';
  readonly reason: string | null;
  /** Null once what was personal in it is erased. */
  readonly content: Pick<AuditEntry, 'before' | 'after' | 'details' | 'ip'> | null;
}

export interface AuditFilter {
  /** Older than this entry. */
  readonly before?: number | undefined;
  readonly person?: string | undefined;
  readonly subject?: string | undefined;
  /** A whole action, or the thing before its dot. */
  readonly action?: string | undefined;
  readonly result?: AuditRow['result'] | undefined;
  readonly limit: number;
}

export const auditTrail = {
  /** Newest first. Nothing for tenants' people and for who does not act on the whole account. */
  async page(db: Db, { before, limit, person, subject, action, result }: AuditFilter): Promise<AuditRow[]> {
    const { rows } = await sql<AuditRow>`
      select seq::int, at, person_id, person_name, action, subject_id, subject_name, result, reason, content
      from audit_page(${before ?? null}, ${limit}, ${person ?? null}, ${subject ?? null}, ${action ?? null},
        ${result ?? null})`.execute(db);
    return rows;
  },

  /** All that is kept by and about a person, oldest first. */
  async ofPerson(db: Db, personId: string): Promise<Omit<AuditRow, 'personName' | 'subjectName'>[]> {
    const { rows } = await sql<Omit<AuditRow, 'personName' | 'subjectName'>>`
      select seq::int, at, person_id, action, subject_id, result, reason, content
      from audit_of_person(${personId})`.execute(db);
    return rows;
  },

  /**
   * Erases what is personal in the entries by and about a person and the person's invitations; the chain still holds.
   * @returns how many. @throws where it is nobody of the account, or has rights where who asks does not act.
   */
  async forget(db: Db, personId: string): Promise<number> {
    const { rows } = await sql<{ n: number }>`select audit_forget(${personId}) as n`.execute(db);
    return rows[0]?.n ?? 0;
  },

  /** Drops what is older, of every account, and never what is younger than six months. @returns how many. */
  async cut(db: Db, olderThan: Date, now: Date): Promise<number> {
    const { rows } = await sql<{ n: number }>`select audit_cut(${olderThan}, ${now}) as n`.execute(db);
    return rows[0]?.n ?? 0;
  },
};

export interface ChainVerdict {
  /** How many are kept. */
  readonly entries: number;
  /** Of these, how many had their personal content erased. */
  readonly erased: number;
  /** Seq of the first entry that is not as it was written, or is missing; null: all are there. */
  readonly brokenAt: number | null;
  /** Hash of the last entry (hex), to be kept elsewhere: it also proves that the end was not cut off. */
  readonly head: string | null;
}

/** Computes the chain of an account anew and compares. As the owner of the database: the services cannot read the entries. */
export async function verifyAudit(trx: Db, accountId: string): Promise<ChainVerdict> {
  const { rows } = await sql<ChainVerdict>`
    with head as (select * from audit_head where account_id = ${accountId}),
    entry as (
      select e.seq, e.prev_hash, e.hash, e.content is null as erased,
        (select kept_after from head) + row_number() over (order by e.seq) as place,
        coalesce(lag(e.hash) over (order by e.seq), (select kept_after_hash from head)) as before,
        sha256(e.prev_hash || convert_to((jsonb_build_array(
          e.account_id, e.seq, (extract(epoch from e.at) * 1000000)::bigint, e.person_id, e.action,
          e.subject_id, encode(e.content_hash, 'hex')) ||
          case e.result when 'done' then '[]' else jsonb_build_array(e.result, e.reason) end)::text, 'UTF8')) as right_hash,
        e.content is null or e.content_hash = sha256(e.content_salt || convert_to(e.content::text, 'UTF8')) as content_right
      from audit_event e where e.account_id = ${accountId}
    )
    select count(*)::int as entries, count(*) filter (where erased)::int as erased,
      (select encode(hash, 'hex') from head) as head,
      least(
        min(seq) filter (where place <> seq or prev_hash <> before or hash <> right_hash or not content_right),
        -- The head knows how far the chain went: what was cut off at the end is missing from there on.
        (select case when h.seq <> coalesce(max(e.seq), h.kept_after) then coalesce(max(e.seq), h.kept_after) + 1
           when h.hash <> coalesce((array_agg(e.hash order by e.seq desc))[1], h.kept_after_hash) then h.seq end
         from head h left join entry e on true group by h.seq, h.hash, h.kept_after, h.kept_after_hash)
      )::int as broken_at
    from entry`.execute(trx);
  return rows[0] ?? { entries: 0, erased: 0, brokenAt: null, head: null };
}
