// Ingest against the plainest way to get the same rows into the same table: binary COPY from this process.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, JetStreamApiError, type JetStreamClient, jetstreamManager } from '@nats-io/jetstream';
import { subjects, UPLINK_STREAM } from '@parkline/contract';
import { encodeRows, type BenchServices, startServices } from './ingest-services.ts';
import { copyRows } from '../../cloud/src/telemetry/copy.ts';
import type { Rows } from '../../cloud/src/telemetry/sample.ts';
import { createSender } from '../../cloud/src/telemetry/testing.ts';
import { cpuOfTree } from './cpu.ts';
import { type BenchResult, machine, median, round, spread } from './report.ts';

const POINTS = 1_000;
const MESSAGES = 300;
const RUNS = 5;
/** Rows of one transaction, on both sides. */
const BATCH_ROWS = 8_000;
const START = Date.UTC(2026, 9, 5);

interface Measured {
  readonly wallMs: number;
  /** µs a row. */
  readonly cpu: number;
  readonly parts: Readonly<Record<string, number>>;
}

export async function run(progress: (text: string) => void): Promise<BenchResult> {
  const services = await startServices({ points: POINTS, notice: progress });
  try {
    const sender = createSender(services.gateway);
    await publishAll(services, [sender.points()]);
    await untilStored(services);
    const [ours, raw]: [Measured[], Measured[]] = [[], []];
    for (let n = -1; n < RUNS; n += 1) {
      // Both write the same number of rows for the same points, at times of their own; who begins alternates.
      const sides = [
        async () => ours.push(await measureOurs(services, sender, 2 * n)),
        async () => raw.push(await measureRaw(services, 2 * n + 1)),
      ];
      for (const side of n % 2 === 0 ? sides : sides.reverse()) await side();
      if (n < 0)
        ours.length = raw.length = 0; // The first round warms up.
      else
        progress(
          `run ${n + 1}: ours ${round(ours.at(-1)!.cpu)} µs, raw ${round(raw.at(-1)!.cpu)} µs of CPU a row`,
        );
    }
    return await summary(services, ours, raw);
  } finally {
    await services.stop();
  }
}

/** Samples of one message: every point once. Two decimals, as meters give. */
const samplesOf = (second: number): readonly (readonly [number, number, number])[] =>
  Array.from({ length: POINTS }, (_, p) => {
    const isRegister = p % 2 === 1;
    const value = isRegister
      ? 1_000_000 + second * 3 + p
      : Math.round((200 + 50 * Math.sin(second / 60 + p)) * 100) / 100;
    return [p, START + second * 1_000, value] as const;
  });

const secondsOf = (block: number): number[] =>
  Array.from({ length: MESSAGES }, (_, i) => (block + 2) * MESSAGES + i);

async function measureOurs(
  services: BenchServices,
  sender: ReturnType<typeof createSender>,
  block: number,
): Promise<Measured> {
  // Packing and signing is the gateway's work, done before the clock starts.
  const messages = secondsOf(block).map((second) => sender.samples(samplesOf(second)));
  const before = cpuOf(services);
  const began = performance.now();
  await publishAll(services, messages);
  await untilStored(services);
  const wallMs = performance.now() - began;
  await sleep(1_000); // What is written behind, the latest values, belongs to it.
  return perRow(wallMs, before, cpuOf(services));
}

async function measureRaw(services: BenchServices, block: number): Promise<Measured> {
  const rows = secondsOf(block).map((second) => encodeRows(services.gateway, samplesOf(second)));
  const before = cpuOf(services);
  const began = performance.now();
  const self = process.cpuUsage();
  for (let at = 0; at < rows.length; at += BATCH_ROWS / POINTS)
    await copyBlocks(services, rows.slice(at, at + BATCH_ROWS / POINTS));
  const { user, system } = process.cpuUsage(self);
  const wallMs = performance.now() - began;
  await sleep(1_000);
  const { postgres } = cpuOf(services);
  return perRow(wallMs, { postgres: before.postgres, client: 0 }, { postgres, client: user + system });
}

async function copyBlocks({ pool }: BenchServices, blocks: readonly Rows[]): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await copyRows(client, 'reading', blocks);
    await client.query('commit');
  } finally {
    client.release();
  }
}

const cpuOf = ({ pids }: BenchServices) => ({
  postgres: cpuOfTree(pids.postgres),
  nats: cpuOfTree(pids.nats),
  ingest: cpuOfTree(pids.ingest),
});

function perRow(wallMs: number, before: Record<string, number>, after: Record<string, number>): Measured {
  const parts = Object.fromEntries(
    Object.entries(after).map(([name, us]) => [name, (us - before[name]!) / (MESSAGES * POINTS)]),
  );
  return { wallMs, cpu: Object.values(parts).reduce((sum, us) => sum + us, 0), parts };
}

/** Its share may be full of what nobody has read yet: then it asks again. */
async function sent(stream: JetStreamClient, subject: string, message: Uint8Array): Promise<void> {
  for (;;) {
    try {
      await stream.publish(subject, message);
      return;
    } catch (error) {
      if (!(error instanceof JetStreamApiError)) throw error;
      await sleep(5);
    }
  }
}

/** As a gateway does: up to 64 messages without an answer. */
async function publishAll({ nats, gateway }: BenchServices, messages: readonly Uint8Array[]): Promise<void> {
  const stream = jetstream(nats);
  const queue = messages.values();
  const lane = async () => {
    for (const message of queue) await sent(stream, subjects.uplink(gateway.id), message);
  };
  await Promise.all(Array.from({ length: 64 }, lane));
}

/** The stream is empty when everything is committed and acknowledged. */
async function untilStored({ nats, ingest }: BenchServices): Promise<void> {
  const { streams } = await jetstreamManager(nats);
  const died = once(ingest, 'exit').then(() => {
    throw new Error('ingest ended');
  });
  died.catch(() => undefined); // Only of interest while something waits for it.
  while ((await Promise.race([streams.info(UPLINK_STREAM), died])).state.messages > 0) await sleep(50);
}

async function summary(
  services: BenchServices,
  ours: readonly Measured[],
  raw: readonly Measured[],
): Promise<BenchResult> {
  const expected = 2 * (RUNS + 1) * MESSAGES * POINTS;
  const { rows } = await services.pool.query<{ n: number }>('select count(*)::int as n from reading');
  if (rows[0]?.n !== expected) throw new Error(`${rows[0]?.n} rows stored, not ${expected}`);
  const ratios = ours.map(({ cpu }, i) => raw[i]!.cpu / cpu);
  const side = (runs: readonly Measured[]) => ({
    median: Math.round((MESSAGES * POINTS) / (median(runs.map(({ wallMs }) => wallMs)) / 1_000)),
    unit: 'samples/s',
    cpu_us_per_item: round(median(runs.map(({ cpu }) => cpu))),
    cpu_parts: Object.fromEntries(
      Object.keys(runs[0]!.parts).map((name) => [name, round(median(runs.map(({ parts }) => parts[name]!)))]),
    ),
  });
  return {
    bench: 'ingest',
    ratio: round(median(ratios)),
    better: 'higher',
    spread: round(spread(ratios)),
    runs: RUNS,
    ours: side(ours),
    raw: side(raw),
    machine: machine(),
    versions: services.versions,
    storage: services.storage,
    notes:
      `${MESSAGES} messages of ${POINTS} samples a run, through a durable nats-server (sync_interval always) and one ingest ` +
      `process into the reading table, latest values included; raw is binary COPY of ${BATCH_ROWS} rows a transaction into the ` +
      `same table. ratio compares CPU time of PostgreSQL, nats-server and ingest with that of PostgreSQL and the COPY client; ` +
      `the sending gateway is on neither side.`,
  };
}
