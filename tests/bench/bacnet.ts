// Polled BACnet/IP points: the driver against the bare client library, and the whole way from the devices to the disk.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Driver, PointRef, Sample } from '@parkline/kit';
import { createDiskLine } from './bacnet-disk.ts';
import { createRawReader } from './bacnet-raw.ts';
import { cpuOfTree } from './cpu.ts';
import { type BenchResult, machine, median, round, spread } from './report.ts';

const RUNS = 5;
const DEVICES = 22;
/** As many as go into one request, on both sides. */
const POINTS = 46;
const ROUNDS = 150;
const TOTAL = DEVICES * POINTS * ROUNDS;

type SideName = 'driver' | 'raw' | 'pipeline';
interface Measured {
  readonly seconds: number;
  /** µs a point, of this process and of the devices. */
  readonly cpu: number;
}

const never = (): AbortSignal => new AbortController().signal;
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const refs = Array.from({ length: POINTS }, (_, p): PointRef => ({
  pointId: `${p}`,
  address: `analog-input,${p + 1}`,
  scale: 1,
  kind: 'gauge',
}));

export async function run(progress: (text: string) => void): Promise<BenchResult> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'bacnet-devices.ts'), String(DEVICES), String(POINTS)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const place = JSON.parse(String((await once(child.stdout, 'data'))[0])) as { host: string; port: number };
  const { driver } = await import('@parkline/bacnet');
  const connection = driver.openConnection(
    { host: '127.0.0.1', port: 0, whoIs: [place], maxInFlight: DEVICES },
    { now: Date.now, log, dataDir: '/nowhere' },
  );
  const drivers = Array.from({ length: DEVICES }, (_, n) => connection.device({ device: n + 1 }));
  await drivers[0]!.read(refs, never()); // Code that is loaded and compiled with the first device is no part of the others.
  const before = heap();
  await Promise.all(drivers.slice(1).map((each) => each.read(refs, never())));
  const heapBytes = heap() - before;
  const raw = await createRawReader(place, DEVICES, POINTS);
  const disk = createDiskLine(DEVICES, POINTS);
  const sides: Readonly<Record<SideName, () => Promise<void>>> = {
    driver: () => readAll(drivers, () => undefined),
    raw: () => raw.readAll(ROUNDS),
    pipeline: async () => {
      await readAll(drivers, (device, samples) => disk.accept(device, samples));
      disk.flush();
    },
  };
  const all: Record<SideName, Measured[]> = { driver: [], raw: [], pipeline: [] };
  for (let n = -1; n < RUNS; n += 1) {
    const names = Object.keys(sides) as SideName[];
    for (const name of n % 2 === 0 ? names : names.toReversed()) {
      const measured = await measure(sides[name]);
      if (n >= 0) all[name].push(measured); // The first round warms up.
    }
    if (n >= 0)
      progress(`run ${n + 1}: ${names.map((name) => `${name} ${rate(all[name][n]!)}`).join(', ')} points/s`);
  }
  if (disk.taken() !== (RUNS + 1) * TOTAL) throw new Error(`${disk.taken()} samples on disk`);
  await connection.close();
  raw.close();
  disk.close();
  await ended(child);
  return summary(all, heapBytes);
}

/** Every device at once, each with its own pace: read, and read again. */
async function readAll(
  drivers: readonly Driver[],
  take: (device: number, samples: readonly Sample[]) => void,
): Promise<void> {
  await Promise.all(
    drivers.map(async (driver, device) => {
      for (let n = 0; n < ROUNDS; n += 1) {
        const samples = await driver.read(refs, never());
        if (samples.some(({ quality }) => quality !== 'good'))
          throw new Error(`device ${device + 1} fell out`);
        take(device, samples);
      }
    }),
  );
}

async function measure(work: () => Promise<void>): Promise<Measured> {
  const cpu = cpuOfTree(process.pid);
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1_000;
  return { seconds, cpu: (cpuOfTree(process.pid) - cpu) / TOTAL };
}

/** Bytes of heap in use, after a collection. */
function heap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

async function ended(child: ChildProcess): Promise<void> {
  child.stdin!.end();
  await once(child, 'close');
}

const rate = ({ seconds }: Measured): number => Math.round(TOTAL / seconds);

function summary({ driver, raw, pipeline }: Record<SideName, Measured[]>, heapBytes: number): BenchResult {
  const ratios = driver.map((ours, n) => rate(ours) / rate(raw[n]!));
  const side = (runs: readonly Measured[]) => ({
    median: Math.round(median(runs.map(rate))),
    unit: 'points/s',
    cpu_us_per_item: round(median(runs.map(({ cpu }) => cpu))),
  });
  return {
    bench: 'bacnet',
    ratio: round(median(ratios)),
    better: 'higher',
    spread: round(spread(ratios)),
    runs: RUNS,
    ours: side(driver),
    raw: side(raw),
    pipeline: side(pipeline),
    heap_kib_per_1000_points: Math.round((heapBytes / 1_024 / ((DEVICES - 1) * POINTS)) * 1_000),
    machine: machine(),
    versions: { node: process.version, '@bacnet-js/client': versionOf('@bacnet-js/client') },
    notes:
      `${DEVICES} simulated controllers with ${POINTS} analog inputs each in a process of their own; every device is asked for all its ` +
      `present values and status flags in one ReadPropertyMultiple, ${ROUNDS} times a run, one request in flight per device; the sides ` +
      `take turns. raw is @bacnet-js/client on one socket, answers decoded and counted: no identity, no order, no quality, no check ` +
      `of the octets before the decoder. pipeline is the driver, report (everything), stamp, batch, signature and SQLite with FULL ` +
      `sync. The simulator shares the cores and is on both sides of cpu_us_per_item. heap_kib counts devices, stations and points of all but the first device.`,
  };
}

function versionOf(name: string): string {
  const manifest = join(import.meta.dirname, '../../node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
