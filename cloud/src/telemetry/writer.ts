import { subjects, type LiveUpdate } from '@parkline/contract';
import type { ClientBase } from 'pg';
import { openMessage } from './decode.ts';
import type { FindGateway } from './gateways.ts';
import type { Heard } from './heard.ts';
import type { Delivery, IngestDeps } from './ingest-deps.ts';
import type { Latest, LiveSample } from './latest.ts';
import { countStored } from './metrics.ts';
import { quarantine, worthAnotherTry } from './quarantine.ts';
import { publishReceipts } from './receipts.ts';
import type { ReadingStorage } from './storage.ts';
import { type Message, storeMessages, type Stored } from './store.ts';
import { createPointTables } from './tables.ts';

export interface Writer {
  /** Stores a batch and tells everybody. Resolves when it is committed, however long the database is away, or when the process stops. */
  write(batch: readonly Delivery[]): Promise<void>;
  /** Tries once more what may be readable by now. @returns whether some of it was, and more may wait. */
  retryQuarantine(): Promise<boolean>;
}

/** Longest pause between two tries while the database is away. */
const MAX_PAUSE_MS = 5_000;
/** A database that stays away is told of at first and then about once a minute. */
const LOG_EVERY = 12;
/** Samples of one live message: it must stay well below the server's largest message. */
const LIVE_CHUNK = 2_000;
/** Messages of the quarantine tried at once. */
const RETRY_LIMIT = 20;

export interface WriterDeps extends IngestDeps {
  readonly findGateway: FindGateway;
  readonly storage: ReadingStorage;
  readonly latest: Latest;
  readonly heard: Heard;
}

/** When `signal` aborts, a batch that fails is left to be delivered again; one that works is finished. */
export function createWriter(deps: WriterDeps, signal: AbortSignal): Writer {
  const { pool, now, log, nats, findGateway, storage, latest, heard, failpoint = () => undefined } = deps;
  const tables = createPointTables();
  const count = countStored(deps.metrics);
  const storeDeps = { tables, now, makeRoom: storage.ensure };

  async function inTransaction<T>(work: (client: ClientBase) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    try {
      await client.query('begin');
      const result = await work(client);
      failpoint('before-commit');
      await client.query('commit');
      client.release();
      return result;
    } catch (error) {
      client.release(true); // Closing the connection rolls back, also when it is broken or in the middle of a COPY.
      tables.forget();
      storage.forget();
      throw error;
    }
  }

  async function tell(stored: Stored, messages: number): Promise<void> {
    count(stored, messages);
    if (stored.conflicts > 0) log.warn({ conflicts: stored.conflicts }, 'samples contradict stored ones');
    if (Object.keys(stored.refused).length > 0)
      log.warn({ refused: stored.refused }, 'messages put in quarantine');
    publishReceipts(deps, stored.receipts);
    for (const { gatewayId } of stored.receipts) {
      const gateway = await findGateway(gatewayId);
      if (gateway) heard.note(gatewayId, gateway.accountId, now());
    }
    const moved = new Map<string, LiveSample[]>();
    for (const [table, samples] of Map.groupBy(stored.samples, ({ table }) => table)) {
      const accountId = (await findGateway(samples[0]!.gatewayId))?.accountId;
      const blocks = samples.map(({ rows }) => rows);
      const live = latest.offer(blocks, table, now().getTime());
      if (accountId && live.length > 0) moved.set(accountId, [...(moved.get(accountId) ?? []), ...live]);
    }
    for (const [accountId, samples] of moved)
      for (let at = 0; at < samples.length; at += LIVE_CHUNK) {
        const update: LiveUpdate = { samples: samples.slice(at, at + LIVE_CHUNK) };
        nats.publish(subjects.live(accountId), JSON.stringify(update));
      }
  }

  async function write(batch: readonly Delivery[]): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      try {
        const stored = await inTransaction((client) => storeMessages(storeDeps, client, batch));
        failpoint('after-commit');
        await tell(stored, batch.length);
        break;
      } catch (err) {
        if (isTheirFault(err)) return apart(batch, err);
        if (failures % LOG_EVERY === 0) log.warn({ err, failures }, 'batch not stored');
        await deps.wait(Math.min(MAX_PAUSE_MS, 100 * 2 ** failures), signal);
        if (signal.aborted) return;
      }
    }
    failpoint('before-ack');
    for (const { ack } of batch) ack();
    failpoint('after-ack');
  }

  /** One message of the batch cannot be stored at all: find it, keep it aside, let the others pass. */
  async function apart(batch: readonly Delivery[], cause: unknown): Promise<void> {
    const [first, ...others] = batch;
    if (first && others.length === 0) {
      log.error({ err: cause, gateway: first.gateway }, 'message cannot be stored');
      await inTransaction((client) =>
        quarantine(client, [{ ...first, reason: 'error', detail: String(cause) }]),
      );
      first.ack();
      return;
    }
    for (const delivery of batch) await write([delivery]);
  }

  return {
    write,
    async retryQuarantine() {
      const messages: Message[] = [];
      const stored = await inTransaction(async (client) => {
        for (const { id, gateway, bytes, proven } of await worthAnotherTry(client, RETRY_LIMIT)) {
          const keys = proven ? 'proven' : (await findGateway(gateway))?.keys;
          const retry = { id, receipted: proven };
          messages.push({ gateway, bytes, opened: openMessage(bytes, gateway, keys), retry });
        }
        return messages.length > 0 ? storeMessages(storeDeps, client, messages) : undefined;
      });
      if (stored) await tell({ ...stored, receipts: [] }, 0);
      return messages.length === RETRY_LIMIT && stored !== undefined && stored.samples.length > 0;
    },
  };
}

/** Data that the database refuses, or a mistake of ours that this message reveals; anything else passes by waiting. */
const isTheirFault = (error: unknown): boolean =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  /^2[23]/.test(String((error as { code?: unknown } | null)?.code ?? ''));
