// After an outage: how fast what waited on a gateway's disk reaches the database, and how old what is fresh gets meanwhile.
import { createUser } from '@nats-io/nkeys';
import { encodeTable } from '../../edge/src/pipeline/codec.ts';
import { createBatcher } from '../../edge/src/pipeline/batch.ts';
import { createBell } from '../../edge/src/base/bell.ts';
import { systemClock, systemWait } from '../../edge/src/base/clock.ts';
import { createFaultLog } from '../../edge/src/base/fault-log.ts';
import { createUpstream } from '../../edge/src/upstream.ts';
import { sign } from 'node:crypto';
import pino from 'pino';
import type { Outbox } from '../../edge/src/pipeline/outbox.ts';
import { type BenchServices, startServices } from './ingest-services.ts';
import { type BenchResult, machine, median, round, spread } from './report.ts';
import { benchOutbox } from './wire-load.ts';

const RUNS = 5;
const POINTS = 1_000;
/** Each run: an outage of this length, at one message of a thousand readings a second. */
const OUTAGE_S = 1_800;
const quiet = pino({ enabled: false });

interface Drain {
  readonly seconds: number;
  /** ms from the reading to its receipt, of what was read while the backlog drained. */
  readonly ages: readonly number[];
}

export async function run(progress: (text: string) => void): Promise<BenchResult> {
  const user = createUser();
  const services = await startServices({
    points: POINTS,
    gatewayNkey: user.getPublicKey(),
    notice: progress,
  });
  const drains: Drain[] = [];
  try {
    for (let n = 0; n < RUNS; n += 1) {
      const drain = await oneOutage(services, user.getSeed(), n);
      drains.push(drain);
      progress(
        `run ${n + 1}: ${OUTAGE_S} s drained in ${drain.seconds.toFixed(1)} s, oldest fresh ${Math.max(...drain.ages)} ms`,
      );
    }
    return summary(drains, await stored(services), services);
  } finally {
    await services.stop();
  }
}

/** A gateway comes back with its backlog while it goes on reading; over when nothing waits any more. */
async function oneOutage(services: BenchServices, natsSeed: Uint8Array, n: number): Promise<Drain> {
  const { gateway } = services;
  using bench = benchOutbox();
  const received = new Map<number, number>(); // seq -> monotonic ms of its receipt
  const outbox = watched(bench.outbox, received);
  const bell = createBell(systemWait);
  const batcher = batcherOf(services, outbox, bell.ring);
  const offset = (n + 1) * 7_200_000;
  for (let second = 0; second < OUTAGE_S; second += 1) read(batcher, Date.now() - offset + second * 1_000);
  const backlogTo = outbox.lastSeq();
  const stop = new AbortController();
  const faults = createFaultLog(quiet, systemClock);
  const upstream = createUpstream({
    ...{
      gatewayId: gateway.id,
      access: {
        url: services.natsUrl,
        credentials: () => ({ seed: natsSeed, ...(services.natsJwt && { jwt: services.natsJwt }) }),
      },
      cloudKey: services.cloudKey,
      outbox,
      bell,
    },
    ...{
      keepMs: 86_400_000,
      clock: systemClock,
      wait: systemWait,
      log: quiet,
      faults,
      failpoint: () => undefined,
    },
    onCommand: () => undefined,
    onConfig: () => undefined,
    onAsk: () => undefined,
    onUpdate: () => undefined,
    health: {
      ...{ version: '0', startedAt: 0, refused: () => 0, isWritingOff: () => false, keep: () => undefined },
      ...{
        board: { list: () => [] },
        sign: (bytes) => sign(null, bytes, gateway.privateKey),
        bell: createBell(systemWait),
      },
    },
  });
  const began = performance.now();
  const running = upstream.run(stop.signal);
  const live: { seq: number; at: number }[] = [];
  const isDrained = (): boolean => outbox.waiting(0, 1).every((seq) => seq > backlogTo);
  for (let next = began; !isDrained();) {
    if (performance.now() >= next) {
      next += 1_000;
      read(batcher, Date.now());
      live.push({ seq: outbox.lastSeq(), at: performance.now() });
    }
    await systemWait(20, stop.signal);
  }
  const seconds = (performance.now() - began) / 1_000;
  while (live.some(({ seq }) => !received.has(seq))) await systemWait(20, stop.signal);
  stop.abort();
  await running;
  return { seconds, ages: live.map(({ seq, at }) => Math.round(received.get(seq)! - at)) };
}

/** Notes when each message was receipted. */
function watched(outbox: Outbox, received: Map<number, number>): Outbox {
  return {
    ...outbox,
    receive(ranges, mayLose, now) {
      const effect = outbox.receive(ranges, mayLose, now);
      const at = performance.now();
      for (const [from, to] of ranges)
        for (let seq = Math.max(from, to - 500); seq <= to; seq += 1)
          if (!received.has(seq)) received.set(seq, at);
      return effect;
    },
  };
}

function batcherOf({ gateway }: BenchServices, outbox: Outbox, onAppended: () => void) {
  const { id: gatewayId, points, privateKey } = gateway;
  const table = encodeTable(points.map(({ id, unit, kind, resolution }) => ({ id, unit, kind, resolution })));
  return createBatcher({
    ...{ gatewayId, outbox, table, now: () => Date.now(), thinToMs: 60_000, onAppended },
    kindOf: (point) => points[point]?.kind,
    sign: (bytes) => sign(null, bytes, privateKey),
    gaps: { accepted: () => undefined, refuse: () => undefined, refused: () => 0 },
    onRefused: () => {
      throw new Error('the disk is full');
    },
  });
}

/** One second of a gateway: every point once. */
function read(batcher: ReturnType<typeof batcherOf>, at: number): void {
  for (let point = 0; point < POINTS; point += 1)
    batcher.add({ point, at, value: point + (at % 1_000), quality: 'good', boundary: false, suspect: false });
  batcher.flush();
}

async function stored({ pool }: BenchServices): Promise<number> {
  const { rows } = await pool.query<{ n: string }>('select count(*) as n from reading');
  return Number(rows[0]!.n);
}

function summary(drains: readonly Drain[], rows: number, { versions }: BenchServices): BenchResult {
  const times = drains.map(({ seconds }) => OUTAGE_S / seconds);
  const ages = drains.flatMap((drain) => drain.ages).sort((a, b) => a - b);
  const sent = drains.reduce((sum, drain) => sum + (OUTAGE_S + drain.ages.length) * POINTS, 0);
  return {
    ...{
      bench: 'backlog',
      ratio: round(median(times)),
      better: 'higher',
      spread: round(spread(times)),
      runs: RUNS,
    },
    ours: { median: Math.round(median(times) * POINTS), unit: 'samples/s', cpu_us_per_item: 0 },
    raw: { median: POINTS, unit: 'samples/s', cpu_us_per_item: 0 },
    machine: machine(),
    versions,
    fresh_age_ms: { median: median(ages), worst: ages.at(-1) ?? 0 },
    lost: sent - rows,
    notes:
      `An outage of ${OUTAGE_S} s at ${POINTS} readings a second; ratio is how many times faster than real time the backlog is in the ` +
      'database. Fresh: read while it drains, from the reading to the signed receipt. CPU is not counted here.',
  };
}
