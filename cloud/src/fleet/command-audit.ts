import './command-tables.ts';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';

/** What happened to a command. */
export interface CommandDeed {
  readonly accountId: string;
  readonly at: Date;
  readonly commandId: string;
  readonly pointId: string;
  readonly action:
    'requested' | 'approved' | 'rejected' | 'cancelled' | 'sent' | 'expired' | `result.${string}`;
  /** Absent: the system itself. */
  readonly person?: { readonly id: string; readonly name: string };
  readonly ip?: string;
  readonly details?: object;
}

/** Adds to the account's chain, in the transaction of the deed. Nobody can change, leave out or, as the API, read an entry. */
export async function auditCommand(
  trx: Db,
  { person, ip, details = {}, ...deed }: CommandDeed,
): Promise<void> {
  await trx
    .insertInto('commandAudit')
    .values({
      ...deed,
      personId: person?.id ?? null,
      personName: person?.name ?? null,
      ip: ip ?? null,
      details,
    })
    .execute();
}

export interface ChainVerdict {
  readonly entries: number;
  /** Seq of the first entry that is not as it was written, or is missing; null: all are there. */
  readonly brokenAt: number | null;
  /** Hash of the last entry (hex), to be kept elsewhere: it also proves that the end was not cut off. */
  readonly head: string | null;
}

/**
 * Computes the chain of an account anew, with the words of migration 0050, and compares. As the owner of the database: the
 * roles of the services cannot read the entries.
 */
export async function verifyCommandAudit(trx: Db, accountId: string): Promise<ChainVerdict> {
  const { rows } = await sql<{ entries: number; brokenAt: number | null; head: string | null }>`
    with entry as (
      select seq, prev_hash, hash,
        row_number() over (order by seq) as place,
        lag(hash, 1, sha256(''::bytea)) over (order by seq) as before,
        sha256(prev_hash || convert_to(jsonb_build_array(
          account_id, seq, (extract(epoch from at) * 1000000)::bigint, command_id, point_id, action,
          person_id, person_name, host(ip), details)::text, 'UTF8')) as right_hash
      from command_audit where account_id = ${accountId}
    ), head as (select seq, hash from command_audit_head where account_id = ${accountId})
    select count(*)::int as entries, (select encode(hash, 'hex') from head) as head,
      least(
        min(seq) filter (where place <> seq or prev_hash <> before or hash <> right_hash),
        -- The head knows how far the chain went: what was cut off at the end is missing from there on.
        (select case when h.seq <> coalesce(max(e.seq), 0) then coalesce(max(e.seq), 0) + 1
           when h.hash <> (array_agg(e.hash order by e.seq desc))[1] then h.seq end
         from head h left join entry e on true group by h.seq, h.hash)
      )::int as broken_at
    from entry`.execute(trx);
  return rows[0] ?? { entries: 0, brokenAt: null, head: null };
}
