import type { UplinkHeader } from '@parkline/contract';
import type { ClientBase } from 'pg';
import { gatewaysHeld, saveCommandResults } from '../fleet/index.ts';
import { saveUpdateResults } from '../updates/index.ts';
import { saveConfigResults } from '../provisioning/index.ts';
import { saveEvents } from './events.ts';
import { type KnownTable, openMessage, type Opened, toRows } from './decode.ts';
import {
  quarantine,
  type Reason,
  type Refused,
  resolve,
  stillRefused,
  waitingForTables,
} from './quarantine.ts';
import { lockReceipts, type ReceiptRow, saveReceipts } from './receipts.ts';
import { addAll, includes } from './ranges.ts';
import type { Rows } from './sample.ts';
import type { PointTables } from './tables.ts';
import { writeRows } from './write-rows.ts';

/** One uplink message, taken apart. */
export interface Message {
  /** As its subject named it. */
  readonly gateway: string;
  readonly bytes: Uint8Array;
  readonly opened: Opened;
  /** Set on another try: its row in quarantine, and whether a receipt covers it already. */
  readonly retry?: { readonly id: string; readonly receipted: boolean };
}

/** What one transaction did, to be told after it is committed. */
export interface Stored {
  readonly receipts: readonly ReceiptRow[];
  /** New samples, with the table that names their points. */
  readonly samples: readonly {
    readonly gatewayId: string;
    readonly rows: Rows;
    readonly table: KnownTable;
  }[];
  readonly conflicts: number;
  readonly refused: Readonly<Partial<Record<Reason, number>>>;
}

export interface StoreDeps {
  readonly tables: PointTables;
  readonly now: () => Date;
  /** Called with the new rows before they are written. */
  readonly makeRoom: (blocks: readonly Rows[]) => Promise<void>;
}

type Proven = Message & { readonly header: UplinkHeader };

/**
 * Stores messages inside the client's transaction, each with an effect of exactly once: (gateway, epoch, seq) is looked up
 * and noted under a lock. What cannot be read is kept in quarantine; if its author is proven, the receipt covers it,
 * because its bytes are safe here.
 */
export async function storeMessages(
  deps: StoreDeps,
  client: ClientBase,
  messages: readonly Message[],
): Promise<Stored> {
  const work = createWork();
  const proven: Proven[] = [];
  for (const message of messages) {
    const { opened } = message;
    const { header } = opened;
    if (header) proven.push({ ...message, header });
    else if (!opened.ok) work.refuse(message, opened.why, opened.detail);
  }
  const locked = await lockReceipts(client, outboxesOf(proven));
  const { fresh, repeats, receipts } = sift(proven, locked);
  for (const { retry } of repeats) if (retry) work.done.push(retry.id);

  const tables = fresh.filter(({ opened }) => opened.ok && opened.content.kind === 'points');
  const rest = fresh.filter((message) => !tables.includes(message));
  const released = await takeTables(deps, client, tables, work);
  const held = await gatewaysHeld(
    client,
    outboxesOf(proven).map(({ gatewayId }) => gatewayId),
  );
  for (const message of [...rest, ...released]) await takeSamples(deps, client, message, work, held);
  for (const message of rest) await takeEvents(client, message, work);

  const blocks = work.samples.map(({ rows }) => rows);
  await deps.makeRoom(blocks);
  const conflicts = await writeRows(client, blocks);
  await quarantine(client, work.refused);
  for (const { id, ...refused } of work.again) await stillRefused(client, id, refused);
  await resolve(client, work.done);
  await saveReceipts(client, receipts);
  return { receipts, samples: work.samples, conflicts, refused: countReasons(work.refused) };
}

/** What the messages of one transaction came to, so far. */
function createWork() {
  const samples: { gatewayId: string; rows: Rows; table: KnownTable }[] = [];
  const refused: Refused[] = [];
  const again: (Refused & { readonly id: string })[] = [];
  const done: string[] = [];
  return {
    samples,
    refused,
    again,
    done,
    refuse(
      { gateway, bytes, opened, retry }: Message,
      reason: Reason,
      detail?: string,
      tableHash?: string,
    ): void {
      const row = { gateway, bytes, reason, detail, header: opened.header, tableHash };
      if (retry) again.push({ id: retry.id, ...row });
      else refused.push(row);
    },
  };
}
type Work = ReturnType<typeof createWork>;

function outboxesOf(messages: readonly Proven[]): { gatewayId: string; epoch: string }[] {
  const byName = new Map(
    messages.map(({ header: { gatewayId, epoch } }) => [`${gatewayId}/${epoch}`, { gatewayId, epoch }]),
  );
  return [...byName.values()];
}

/** Parts new messages from repeats and adds the new ones to the receipts. */
function sift(messages: readonly Proven[], locked: readonly ReceiptRow[]) {
  const fresh: Proven[] = [];
  const repeats: Proven[] = [];
  const receipts = locked.map((row): ReceiptRow => {
    const taken = new Set<number>();
    for (const message of messages) {
      const { gatewayId, epoch, seq } = message.header;
      if (gatewayId !== row.gatewayId || epoch !== row.epoch) continue;
      const known = taken.has(seq) || (includes(row.ranges, seq) && !message.retry?.receipted);
      (known ? repeats : fresh).push(message);
      taken.add(seq);
    }
    return { ...row, ranges: addAll(row.ranges, [...taken]) };
  });
  return { fresh, repeats, receipts };
}

/** Stores point tables; returns the messages that were waiting for them. */
async function takeTables(
  { tables }: StoreDeps,
  client: ClientBase,
  messages: readonly Proven[],
  work: Work,
): Promise<Proven[]> {
  const arrived = new Map<string, string[]>();
  for (const message of messages) {
    const { opened } = message;
    if (!opened.ok || opened.content.kind !== 'points') continue;
    const { gatewayId } = opened.header;
    const stored = await tables.store(client, gatewayId, opened.content.hash, opened.content.table);
    if (!stored.ok) work.refuse(message, 'point', stored.detail);
    else arrived.set(gatewayId, [...(arrived.get(gatewayId) ?? []), opened.content.hash]);
    if (stored.ok && message.retry) work.done.push(message.retry.id);
  }
  const released: Proven[] = [];
  for (const [gatewayId, hashes] of arrived)
    for (const { id, gateway, bytes } of await waitingForTables(client, gatewayId, hashes)) {
      const opened = openMessage(bytes, gateway, 'proven');
      if (opened.ok)
        released.push({ gateway, bytes, opened, header: opened.header, retry: { id, receipted: true } });
    }
  return released;
}

async function takeSamples(
  deps: StoreDeps,
  client: ClientBase,
  message: Proven,
  work: Work,
  held: ReadonlySet<string>,
): Promise<void> {
  const { opened } = message;
  if (!opened.ok) return work.refuse(message, opened.why, opened.detail);
  if (opened.content.kind !== 'samples') return;
  const { gatewayId } = opened.header;
  const { batch } = opened.content;
  const table = await deps.tables.find(client, gatewayId, batch.table);
  if (!table) return work.refuse(message, 'table', batch.table, batch.table);
  const resolved = toRows(batch, table, deps.now().getTime(), held.has(gatewayId));
  if (!resolved.ok) return work.refuse(message, resolved.why, resolved.detail);
  if (resolved.insane > 0) work.refuse(message, 'time', `${resolved.insane} samples`);
  else if (message.retry) work.done.push(message.retry.id);
  work.samples.push({ gatewayId, rows: resolved.rows, table });
}

async function takeEvents(client: ClientBase, { opened, retry }: Proven, work: Work): Promise<void> {
  if (!opened.ok || opened.content.kind !== 'events') return;
  const news = await saveEvents(client, opened.header, opened.content.events);
  await saveCommandResults(client, opened.header.gatewayId, news);
  await saveUpdateResults(client, opened.header.gatewayId, news);
  await saveConfigResults(client, opened.header.gatewayId, news);
  if (retry) work.done.push(retry.id);
}

function countReasons(refused: readonly Refused[]): Partial<Record<Reason, number>> {
  const counts: Partial<Record<Reason, number>> = {};
  for (const { reason } of refused) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
