import { type KeyObject, sign } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import {
  allReceiptQueries,
  gatewayOfSubject,
  type Receipt,
  ReceiptQuery,
  type SignedText,
  subjects,
} from '@parkline/contract';
import type { ClientBase, Pool } from 'pg';
import type { Logger } from 'pino';
import { Value } from 'typebox/value';
import { formatRanges, parseRanges, type Ranges } from './ranges.ts';

/** What is stored of one outbox. */
export interface ReceiptRow {
  readonly gatewayId: string;
  readonly epoch: string;
  readonly ranges: Ranges;
}

type OutboxId = Pick<ReceiptRow, 'gatewayId' | 'epoch'>;
const columns = 'r.gateway_id as "gatewayId", r.epoch, r.ranges::text as ranges';
type Text = Omit<ReceiptRow, 'ranges'> & { readonly ranges: string };
const parsed = (row: Text): ReceiptRow => ({ ...row, ranges: parseRanges(row.ranges) });

/**
 * Reads and locks the receipts of these outboxes until the transaction ends, in one fixed order, so that two processes with
 * messages of the same gateways wait for each other instead of storing twice or blocking each other for ever.
 */
export async function lockReceipts(client: ClientBase, outboxes: readonly OutboxId[]): Promise<ReceiptRow[]> {
  const ids = [outboxes.map(({ gatewayId }) => gatewayId), outboxes.map(({ epoch }) => epoch)];
  const select = `select ${columns} from uplink_receipt r
    join unnest($1::uuid[], $2::text[]) x (gateway_id, epoch) using (gateway_id, epoch)
    order by gateway_id, epoch for update of r`;
  const { rows } = await client.query<Text>(select, ids);
  if (rows.length === outboxes.length) return rows.map(parsed);
  await client.query(
    `insert into uplink_receipt (gateway_id, epoch) select * from unnest($1::uuid[], $2::text[]) order by 1, 2
     on conflict do nothing`,
    ids,
  );
  return (await client.query<Text>(select, ids)).rows.map(parsed);
}

/** Writes the new state of locked receipts. */
export async function saveReceipts(client: ClientBase, receipts: readonly ReceiptRow[]): Promise<void> {
  if (receipts.length === 0) return;
  await client.query(
    `update uplink_receipt r set ranges = x.ranges::int8multirange, updated_at = now()
     from unnest($1::uuid[], $2::text[], $3::text[]) x (gateway_id, epoch, ranges)
     where r.gateway_id = x.gateway_id and r.epoch = x.epoch`,
    [
      receipts.map(({ gatewayId }) => gatewayId),
      receipts.map(({ epoch }) => epoch),
      receipts.map(({ ranges }) => formatRanges(ranges)),
    ],
  );
}

export interface ReceiptDeps {
  readonly nats: NatsConnection;
  /** Ed25519 private key of the cloud. */
  readonly signingKey: KeyObject;
  readonly now: () => Date;
}

/** The receipt as a gateway believes it: it names its addressee and is signed. */
export function signReceipt({ signingKey, now }: Omit<ReceiptDeps, 'nats'>, row: ReceiptRow): string {
  const ranges = row.ranges.map(([from, to]): [number, number] => [from, to]);
  const receipt: Receipt = { gatewayId: row.gatewayId, epoch: row.epoch, ranges, at: now().getTime() };
  const body = JSON.stringify(receipt);
  const signed: SignedText = { body, sig: sign(null, Buffer.from(body), signingKey).toString('base64url') };
  return JSON.stringify(signed);
}

/** Tells the gateways what is committed. Not stored: a lost receipt is asked for again. */
export function publishReceipts(deps: ReceiptDeps, receipts: readonly ReceiptRow[]): void {
  for (const row of receipts) deps.nats.publish(subjects.receipt(row.gatewayId), signReceipt(deps, row));
}

/** Answers gateways that ask what is held of their outbox, until `signal` aborts. */
export async function answerReceiptQueries(
  deps: ReceiptDeps & { readonly pool: Pool; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  // One process of several answers each question.
  const questions = deps.nats.subscribe(allReceiptQueries, { queue: 'ingest' });
  signal.addEventListener('abort', () => questions.unsubscribe(), { once: true });
  for await (const question of questions) {
    const gatewayId = gatewayOfSubject(question.subject);
    try {
      const query = parseQuery(question.string());
      const row = query && (await findReceipt(deps.pool, gatewayId, query.epoch));
      // What is no question gets no answer: the asker chooses where an answer goes.
      if (row) question.respond(signReceipt(deps, row));
    } catch (err) {
      deps.log.warn({ err, gatewayId }, 'receipt query failed'); // The gateway asks again.
    }
  }
}

function parseQuery(text: string): ReceiptQuery | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(ReceiptQuery, value) ? value : undefined;
  } catch {
    return undefined; // Not JSON: not a question.
  }
}

/** Of a known gateway, empty when nothing came yet; undefined for a gateway that does not exist. */
async function findReceipt(pool: Pool, gatewayId: string, epoch: string): Promise<ReceiptRow | undefined> {
  const { rows } = await pool.query<Text>(
    `select g.id as "gatewayId", $2 as epoch, coalesce(r.ranges, '{}')::text as ranges
     from gateway g left join uplink_receipt r on r.gateway_id = g.id and r.epoch = $2
     where g.id::text = $1`,
    [gatewayId, epoch],
  );
  return rows[0] && parsed(rows[0]);
}
