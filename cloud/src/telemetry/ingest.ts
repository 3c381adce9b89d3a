import type { JsMsg } from '@nats-io/jetstream';
import { gatewayOfSubject } from '@parkline/contract';
import { type Collector, createCollector } from './collector.ts';
import { createAlarm } from '../platform/alarm.ts';
import { createDb } from '../platform/db.ts';
import { runListener } from '../platform/listen.ts';
import { openMessage } from './decode.ts';
import { createGateways, type FindGateway } from './gateways.ts';
import { createHeard } from './heard.ts';
import type { Delivery, IngestDeps } from './ingest-deps.ts';
import { catchUpLatest, createLatest } from './latest.ts';
import { answerReceiptQueries } from './receipts.ts';
import { openStorage } from './storage.ts';
import { openUplink } from './uplink-stream.ts';
import { createWriter, type Writer } from './writer.ts';

/** Rows of one transaction; fewer when `GATHER_MS` have passed since the first of them came. */
const BATCH_ROWS = 8_000;
const GATHER_MS = 250;
/** Longest time a latest value is only in memory. */
const FLUSH_MS = 800;
/** Longest time until what nobody told of is tried again; a gateway whose keys or points have changed is tried at once. */
const RETRY_QUARANTINE_MS = 30_000;
const RECONNECT_MS = 1_000;
/** Failures in a row of which only the first is told: about a minute's worth. */
const LOG_EVERY = 60;

/**
 * Takes uplink messages from the log to the database until `signal` aborts, then finishes what it has begun. Any number of
 * these may run. @throws Error at start when the stream's settings would lose messages; later failures are waited out.
 */
export async function runIngest(deps: IngestDeps, signal: AbortSignal): Promise<void> {
  const { pool, now, log } = deps;
  const storage = await openStorage(pool, now());
  await openUplink(deps.nats, deps.replicas, (advice) => log.warn(advice));
  const latest = createLatest(pool);
  await catchUpLatest(pool, now());
  const gateways = createGateways(deps);
  const findGateway = gateways.find;
  const heard = createHeard(createDb(pool));
  const writer = createWriter({ ...deps, findGateway, storage, latest, heard }, signal);
  const collector = createCollector<Delivery>({ full: BATCH_ROWS, waitMs: GATHER_MS, timer: setTimeout });

  log.info({ storage: storage.mode }, 'ingest started');
  const again = createAlarm(deps.wait);
  const changed = (id?: string): void => {
    gateways.forget(id);
    again.ring();
  };
  const gatewayChanged = { channel: 'parkline_gateway', onNotice: changed, onConnect: () => changed() };
  const retry = async (): Promise<void> => {
    if (await writer.retryQuarantine()) again.ring();
  };
  const background = [
    runListener({ ...deps, ...gatewayChanged }, signal),
    answerReceiptQueries({ ...deps, nats: deps.responder ?? deps.nats }, signal),
    every(FLUSH_MS, deps, signal, 'latest values not written', () => latest.flush()),
    every(FLUSH_MS, deps, signal, 'gateways not noted as heard', () => heard.flush()),
    every(RETRY_QUARANTINE_MS, { ...deps, wait: again.wait }, signal, 'quarantine not tried again', retry),
  ];
  const writing = writeAll(collector, writer);
  await readAll(deps, findGateway, collector, signal);
  collector.end();
  await writing;
  await Promise.all(background);
  await latest.flush().catch((err: unknown) => log.warn({ err }, 'latest values not written')); // Found again at start.
  log.info('ingest stopped');
}

async function writeAll(collector: Collector<Delivery>, writer: Writer): Promise<void> {
  for (let batch = await collector.take(); batch.length > 0; batch = await collector.take())
    await writer.write(batch);
}

/** Reads and takes apart messages; when the stream or the consumer is gone it makes them anew. */
async function readAll(
  deps: IngestDeps,
  findGateway: FindGateway,
  collector: Collector<Delivery>,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      const uplink = await openUplink(deps.nats, deps.replicas);
      const messages = await uplink.consume({ max_messages: 64, abort_on_missing_resource: true });
      const stop = (): void => messages.stop();
      signal.addEventListener('abort', stop, { once: true });
      for await (const message of messages) {
        failures = 0;
        await take(message);
      }
      signal.removeEventListener('abort', stop);
    } catch (err) {
      if (!signal.aborted && failures % LOG_EVERY === 0)
        deps.log.warn({ err, failures }, 'uplink interrupted');
    }
    await deps.wait(RECONNECT_MS, signal);
  }

  async function take(message: JsMsg): Promise<void> {
    const gateway = gatewayOfSubject(message.subject);
    const bytes = message.data;
    const known = await untilDone(deps, () => findGateway(gateway), signal);
    if (!known) return; // Stopping while the database is away: the message is delivered again.
    const opened = openMessage(bytes, gateway, known.found?.keys);
    const weight = opened.ok ? opened.header.count : 1;
    await collector.push({ gateway, bytes, opened, ack: () => message.ack() }, Math.max(1, weight));
  }
}

/** Asks until the database answers. @returns undefined when `signal` aborted before. */
async function untilDone<T>(
  { wait, log }: IngestDeps,
  ask: () => Promise<T>,
  signal: AbortSignal,
): Promise<{ readonly found: T } | undefined> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      return { found: await ask() };
    } catch (err) {
      if (failures % LOG_EVERY === 0) log.warn({ err, failures }, 'gateway not looked up');
      await wait(RECONNECT_MS, signal);
    }
  }
  return undefined;
}

/** Does `work` again and again until `signal` aborts; a failure is told and tried again next time. */
async function every(
  ms: number,
  { wait, log }: IngestDeps,
  signal: AbortSignal,
  failure: string,
  work: () => Promise<void>,
): Promise<void> {
  let failures = 0;
  for (await wait(ms, signal); !signal.aborted; await wait(ms, signal)) {
    try {
      await work();
      failures = 0;
    } catch (err) {
      if (failures % LOG_EVERY === 0) log.warn({ err, failures }, failure);
      failures += 1;
    }
  }
}
