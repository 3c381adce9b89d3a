import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Wait } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';

const DAY_MS = 86_400_000;

/**
 * At the start and then daily, until `signal` aborts: writes into the log where each account's chain of deeds ends. The log goes
 * where the database does not reach, so that whoever owns the database cannot write the chain anew and not be found out.
 */
export async function runAuditHeads(
  { db, wait, log }: { readonly db: Db; readonly wait: Wait; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { rows } = await sql<{
        accountId: string;
        seq: string;
        hash: string;
      }>`select * from audit_heads()`.execute(db);
      for (const { accountId, seq, hash } of rows)
        log.info({ accountId, head: `${seq}:${hash}` }, 'audit head');
    } catch (err) {
      log.warn({ err }, 'audit heads not written down');
    }
    await wait(DAY_MS, signal);
  }
}

/**
 * Whether the entry of a head that was written down ('12:9f…') is still what it was; undefined when it is no longer kept. Of the
 * last one that was dropped the hash is kept: the chain begins with it.
 */
export async function holdsHead(trx: Db, accountId: string, head: string): Promise<boolean | undefined> {
  const [, seq = '', hash = ''] = /^(\d{1,18}):([0-9a-f]{64})$/.exec(head) ?? [];
  if (!hash) throw new Error(`${head} is no head: write it as in the log, <number>:<64 hexadecimal digits>`);
  const { rows } = await sql<{ hash: string | null; isGone: boolean }>`
    select encode(case h.kept_after when ${seq}::bigint then h.kept_after_hash else e.hash end, 'hex') as hash,
      h.kept_after > ${seq}::bigint as is_gone
    from audit_head h left join audit_event e on e.account_id = h.account_id and e.seq = ${seq}::bigint
    where h.account_id = ${accountId}`.execute(trx);
  return rows[0]?.isGone === true ? undefined : rows[0]?.hash === hash;
}
