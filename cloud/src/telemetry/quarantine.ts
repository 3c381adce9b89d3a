import { createHash } from 'node:crypto';
import type { UplinkHeader } from '@parkline/contract';
import type { ClientBase } from 'pg';
import type { UplinkFault } from './decode.ts';

/** Why a message is kept aside; 'error' is a failure of ours that only this message causes. */
export type Reason = UplinkFault | 'error';

export interface Refused {
  /** As the subject named it. */
  readonly gateway: string;
  readonly bytes: Uint8Array;
  readonly reason: Reason;
  readonly detail?: string | undefined;
  /** When the signature was good. */
  readonly header?: UplinkHeader | undefined;
  /** The point table it waits for. */
  readonly tableHash?: string | undefined;
}

/** As much as a person reads, without the NUL that a quoted byte may be and that no text of PostgreSQL can hold. */
const shortened = (detail: string): string => detail.slice(0, 500).replaceAll('\0', '');

/**
 * So many that nobody has proven are kept of one gateway: enough to see what is wrong. No receipt covers them, so whoever
 * wrote them has them still, and a flood of noise does not fill the disk of the others.
 */
export const MOST_UNPROVEN = 1_000;

/**
 * Keeps whole messages. The same bytes again only count up, unless their author is proven now: then a receipt covers them,
 * and what is known of them now decides who tries them again.
 */
export async function quarantine(client: ClientBase, refused: readonly Refused[]): Promise<void> {
  for (const { gateway, bytes, reason, detail, header, tableHash } of refused) {
    await client.query(
      `insert into quarantine as q (gateway, reason, detail, epoch, seq, table_hash, bytes, sha256)
       select $1, $2, $3, $4, $5::bigint, $6, $7, $8
       where $5::bigint is not null or exists (select from quarantine where sha256 = $8) or $9 > (select count(*) from (
         select from quarantine where gateway = $1 and seq is null and resolved_at is null limit $9) x)
       on conflict (sha256) do update set seen = q.seen + 1, last_at = now(),
         reason = case when excluded.seq is null then q.reason else excluded.reason end,
         detail = case when excluded.seq is null then q.detail else excluded.detail end,
         epoch = coalesce(excluded.epoch, q.epoch), seq = coalesce(excluded.seq, q.seq),
         table_hash = coalesce(excluded.table_hash, q.table_hash)`,
      [
        gateway.slice(0, 200),
        reason,
        detail && shortened(detail),
        header?.epoch,
        header?.seq,
        tableHash,
        bytes,
        createHash('sha256').update(bytes).digest(),
        MOST_UNPROVEN,
      ],
    );
  }
}

/** A message taken out of quarantine for another try. */
export interface Waiting {
  readonly id: string;
  readonly gateway: string;
  readonly bytes: Buffer;
  /** Its signature was good when it came, and its receipt is written already. */
  readonly proven: boolean;
}

const columns = `q.id, q.gateway, q.bytes, q.seq is not null as proven`;

/** Messages that wait for these tables of a gateway, locked, oldest first. */
export async function waitingForTables(
  client: ClientBase,
  gatewayId: string,
  hashes: readonly string[],
): Promise<Waiting[]> {
  const { rows } = await client.query<Waiting>(
    `select ${columns} from quarantine q
     where q.gateway = $1 and q.table_hash = any($2) and q.reason = 'table' and q.resolved_at is null
     order by q.id for update`,
    [gatewayId, hashes],
  );
  return rows;
}

/**
 * Messages whose obstacle may be gone: their gateway is trusted by now, or a point they name exists by now. Locked, so that
 * two processes do not try the same ones.
 */
export async function worthAnotherTry(client: ClientBase, limit: number): Promise<Waiting[]> {
  const { rows } = await client.query<Waiting>(
    `select ${columns} from quarantine q join gateway g on g.id::text = q.gateway and g.public_key is not null
     where q.resolved_at is null and q.reason in ('gateway', 'point')
     order by q.last_at, q.id limit $1 for update of q skip locked`,
    [limit],
  );
  return rows;
}

export async function resolve(client: ClientBase, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await client.query('update quarantine set resolved_at = now() where id = any($1)', [ids]);
}

/** Notes why another try failed, and what it proved; the row goes to the end of the queue. */
export async function stillRefused(
  client: ClientBase,
  id: string,
  { reason, detail, header, tableHash }: Refused,
): Promise<void> {
  await client.query(
    `update quarantine set reason = $2, detail = $3, last_at = now(),
       epoch = coalesce($4, epoch), seq = coalesce($5, seq), table_hash = coalesce($6, table_hash)
     where id = $1`,
    [id, reason, detail && shortened(detail), header?.epoch, header?.seq, tableHash],
  );
}
