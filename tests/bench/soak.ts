// One gateway, 2,000 points at 5 s for minutes: how even its beat is as the meters see it, whether its memory grows, what it loses.
import { setTimeout as sleep } from 'node:timers/promises';
import { loadavg } from 'node:os';
import { storedSamples } from '../../edge/src/testing/home.ts';
import { cpuOfTree } from './cpu.ts';
import {
  type GatewayProcess,
  METER_POINTS,
  modbusConnections,
  POLL_MS,
  rssMb,
  startGateway,
  startMeters,
} from './gateway-process.ts';
import { type BenchOptions, type BenchResult, machine, round } from './report.ts';

const METERS = 40;
const MINUTES = 10;
const RSS_EVERY_MS = 5_000;
/** Memory counts from here on: before, caches fill and code is compiled. */
const SETTLED_MS = 60_000;
/** An answer this shortly before the gateway is stopped may not have been read. */
const LAST_MS = 1_000;

/** Resident memory at a time, ms after the start. */
type Rss = readonly [atMs: number, mb: number];

interface Soaked {
  /** Of each meter: when it was asked. */
  readonly asked: readonly number[][];
  readonly stoppedAt: number;
  /** Deviations of bare timers of the same beat in this process, ms. */
  readonly timers: readonly number[];
  readonly rss: readonly Rss[];
  /** µs of CPU of the gateway. */
  readonly cpu: number;
  readonly load: readonly number[];
  readonly stored: ReturnType<typeof storedSamples>;
}

export async function run(
  progress: (text: string) => void,
  { minutes = MINUTES }: BenchOptions = {},
): Promise<BenchResult> {
  const meters = await startMeters(METERS);
  using gateway = await startGateway(modbusConnections(meters.ports, 1, METER_POINTS), true);
  const stop = new AbortController();
  const timers = Promise.all(
    Array.from({ length: METERS }, (_, n) => pace((n / METERS) * POLL_MS, stop.signal)),
  );
  const load = [round(loadavg()[0]!)];
  const cpu = cpuOfTree(gateway.pid);
  const rss = await watch(gateway, minutes * 60_000, progress);
  stop.abort();
  const used = cpuOfTree(gateway.pid) - cpu;
  load.push(round(loadavg()[0]!));
  const stoppedAt = performance.timeOrigin + performance.now();
  await gateway.stop();
  const asked = await meters.stop();
  const stored = storedSamples(gateway.home);
  const troubles = gateway.troubles.length;
  return summary(
    { asked, stoppedAt, timers: (await timers).flat(), rss, cpu: used, load, stored },
    minutes,
    troubles,
  );
}

/** A bare timer of the gateway's beat, until `signal` aborts. @returns by how much each interval missed it, ms. */
async function pace(phaseMs: number, signal: AbortSignal): Promise<number[]> {
  const origin = performance.now() + phaseMs;
  const misses: number[] = [];
  for (let n = 0, last = NaN; !signal.aborted; n += 1) {
    await sleep(Math.max(0, origin + n * POLL_MS - performance.now()), undefined, { signal }).catch(
      () => undefined,
    );
    const now = performance.now();
    if (n > 0 && !signal.aborted) misses.push(Math.abs(now - last - POLL_MS));
    last = now;
  }
  return misses;
}

async function watch(
  { pid }: GatewayProcess,
  forMs: number,
  progress: (text: string) => void,
): Promise<Rss[]> {
  const began = performance.now();
  const rss: Rss[] = [];
  while (performance.now() - began < forMs) {
    await sleep(RSS_EVERY_MS);
    rss.push([performance.now() - began, rssMb(pid)]);
    if (rss.length % 12 === 0) progress(`${rss.length / 12} min: ${rss.at(-1)![1].toFixed(1)} MB`);
  }
  return rss;
}

/** |interval between two questions to one meter - 5 s|, ms. The first interval is shorter: after a start nobody waits a whole beat. */
const jitterOf = (asked: readonly number[][]): number[] =>
  asked.flatMap((times) => times.slice(2).map((at, n) => Math.abs(at - times[n + 1]! - POLL_MS)));

const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
};

const spreadOf = (values: readonly number[]) => ({
  p50: round(percentile(values, 0.5)),
  p99: round(percentile(values, 0.99)),
  max: round(percentile(values, 1)),
});

/** Answer n of a meter is the value n of each of its points: every one must be on disk, and once. */
function compare({ asked, stoppedAt, stored }: Soaked): { served: number; lost: number; repeated: number } {
  const found = new Map<string, number>();
  for (const [point, value, quality] of stored)
    if (quality === 0) found.set(`${point} ${value}`, (found.get(`${point} ${value}`) ?? 0) + 1);
  const served = asked.flatMap((times, meter) =>
    times.flatMap((at, n) =>
      at > stoppedAt - LAST_MS
        ? []
        : Array.from({ length: METER_POINTS }, (_, p) => `${meter * METER_POINTS + p} ${n + 1}`),
    ),
  );
  return {
    served: served.length,
    lost: served.filter((key) => !found.has(key)).length,
    repeated: [...found.values()].reduce((sum, times) => sum + times - 1, 0),
  };
}

/** Least squares, MB an hour. */
function slopeOf(rss: readonly Rss[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const [atMean, mbMean] = [mean(rss.map(([at]) => at)), mean(rss.map(([, mb]) => mb))];
  const over = rss.reduce((sum, [at, mb]) => sum + (at - atMean) * (mb - mbMean), 0);
  return (over / rss.reduce((sum, [at]) => sum + (at - atMean) ** 2, 0)) * 3_600_000;
}

function summary(soaked: Soaked, minutes: number, troubles: number): BenchResult {
  const { asked, rss, timers, cpu, load } = soaked;
  const jitter = spreadOf(jitterOf(asked));
  const bare = spreadOf(timers);
  const { served, lost, repeated } = compare(soaked);
  const settled = rss.filter(([at]) => at >= SETTLED_MS).map(([, mb]) => mb);
  const flat = rss.filter(([at]) => at >= SETTLED_MS);
  const perSample = round(cpu / served);
  return {
    ...{ bench: 'soak', ratio: round(jitter.p99 / bare.p99), better: 'lower', spread: 0, runs: 1 },
    ours: { median: jitter.p99, unit: 'ms of jitter, p99', cpu_us_per_item: perSample },
    raw: { median: bare.p99, unit: 'ms of jitter, p99', cpu_us_per_item: 0 },
    ...{ minutes, points: METERS * METER_POINTS, jitter_ms: jitter, timer_jitter_ms: bare },
    rss_mb: {
      first: round(settled[0] ?? NaN, 4),
      last: round(settled.at(-1) ?? NaN, 4),
      slope_per_hour: round(slopeOf(flat)),
    },
    ...{ reads: asked.flat().length, served, lost, repeated, troubles, load },
    machine: machine(),
    versions: { node: process.version },
    notes:
      `${METERS} meters of ${METER_POINTS} floats, each on a Modbus TCP connection of its own, every ${POLL_MS} ms, every reading kept ` +
      `(report.every), no cloud. jitter_ms: by how much the time between two requests missed the beat, as the meter saw them. raw is as many ` +
      `bare timers of the same beat in an idle process in the same minutes: what the machine itself misses. rss_mb after the first minute. ` +
      `lost: answers given at least ${LAST_MS} ms before the gateway was stopped, by value, that are not in its outbox. load: of the ` +
      `machine for a minute, at start and end. CPU is the gateway's, per sample.`,
  };
}
