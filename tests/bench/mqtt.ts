// Devices that tell by MQTT: the driver with its broker against the bare broker, and the whole way from the devices to the disk.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../deploy/local/machine.ts';
import type { Receiver, Rest, Taken } from './mqtt-broker.ts';
import type { Load, Sent } from './mqtt-devices.ts';
import { type BenchResult, machine, median, round, spread } from './report.ts';

const RUNS = 5;
/** 1,000 points: 100 devices with a telegram of ten. */
const LOAD = { devices: 100, points: 10, warmUps: 20, messages: 300, window: 8 } as const;
const TOTAL = LOAD.devices * LOAD.points * LOAD.messages;

interface Measured {
  readonly seconds: number;
  /** µs a point, of the receiving process and of the devices. */
  readonly cpu: number;
  readonly receiverCpu: number;
  readonly heapBytes: number;
}

export async function run(progress: (text: string) => void): Promise<BenchResult> {
  const all: Record<Receiver, Measured[]> = { raw: [], driver: [], pipeline: [] };
  const sides: Receiver[] = ['driver', 'raw', 'pipeline'];
  for (let n = 0; n < RUNS; n += 1) {
    for (const side of n % 2 === 0 ? sides : sides.toReversed()) all[side].push(await measure(side));
    const rates = sides.map((side) => `${side} ${Math.round(rate(all[side][n]!))}`);
    progress(`run ${n + 1}: ${rates.join(', ')} points/s`);
  }
  return summary(all);
}

async function measure(side: Receiver): Promise<Measured> {
  const load: Load = { ...LOAD, port: await freePort() };
  const broker = start('mqtt-broker.ts', side, JSON.stringify(load));
  await broker.says();
  const devices = start('mqtt-devices.ts', JSON.stringify(load));
  try {
    await devices.says(); // Everyone is there and has told something.
    broker.nudge();
    const { heapBytes } = await broker.says<Rest>();
    devices.nudge();
    const [taken, sent] = await Promise.all([broker.says<Taken>(), devices.says<Sent>()]);
    return {
      ...{ seconds: taken.seconds, heapBytes, receiverCpu: taken.cpuUs / TOTAL },
      cpu: (taken.cpuUs + sent.cpuUs) / TOTAL,
    };
  } finally {
    await Promise.all([devices.end(), broker.end()]);
  }
}

/** A process of the benchmark that tells in lines of JSON and is answered by any line. */
function start(program: string, ...options: readonly string[]) {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--expose-gc', join(import.meta.dirname, program), ...options],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    async says<T>(): Promise<T> {
      const line = await lines.next();
      if (line.done) throw new Error(`${program} ended without a word`);
      return JSON.parse(line.value as string) as T;
    },
    nudge: () => void child.stdin!.write('\n'),
    end() {
      child.stdin!.end();
      return ended;
    },
  };
}

const rate = ({ seconds }: Measured): number => TOTAL / seconds;

function summary({ raw, driver, pipeline }: Record<Receiver, Measured[]>): BenchResult {
  const ratios = driver.map((ours, n) => rate(ours) / rate(raw[n]!));
  const side = (runs: readonly Measured[]) => ({
    median: Math.round(median(runs.map(rate))),
    unit: 'points/s',
    cpu_us_per_item: round(median(runs.map(({ cpu }) => cpu))),
    receiver_cpu_us_per_item: round(median(runs.map(({ receiverCpu }) => receiverCpu))),
    messages_per_s: Math.round(median(runs.map(rate)) / LOAD.points),
  });
  const kib = (runs: readonly Measured[]): number =>
    Math.round((median(runs.map(({ heapBytes }) => heapBytes)) / 1_024 / LOAD.devices / LOAD.points) * 1_000);
  return {
    bench: 'mqtt',
    ratio: round(median(ratios)),
    better: 'higher',
    spread: round(spread(ratios)),
    runs: RUNS,
    ours: side(driver),
    raw: side(raw),
    pipeline: { ...side(pipeline), heap_kib_per_1000_points: kib(pipeline) },
    heap_kib_per_1000_points: kib(driver),
    raw_heap_kib_per_1000_points: kib(raw),
    machine: machine(),
    versions: { node: process.version, aedes: versionOf('aedes') },
    notes:
      `${LOAD.devices} devices on connections of their own tell ${LOAD.messages} retained QoS 1 telegrams of ${LOAD.points} numbers a run, ` +
      `${LOAD.window} without an answer each; devices and receiver are processes of their own, the sides take turns. ours is the driver's ` +
      `broker with log-in, topic rules, every message on the disk before its PUBACK, and decoding to samples; raw is aedes that lets everyone in and reads no payload, its points ` +
      `those in the messages. pipeline is driver, order, report (everything), stamp, batch, signature and SQLite with FULL sync. ` +
      `heap_kib counts connections and points; raw_heap_kib is that of the connections alone, the same 100 of them.`,
  };
}

function versionOf(name: string): string {
  const manifest = join(import.meta.dirname, '../../node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
