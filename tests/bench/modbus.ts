// Polled Modbus TCP: the whole driver against a client of libmodbus, and 50 devices that take 20 ms each against the clock.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Connection, DriverModule, PointRef } from '@parkline/kit';
import { compileWithLibmodbus } from '../interop/peers.ts';
import { type BenchResult, machine, median, MissingPeer, round, spread } from './report.ts';

const RUNS = 7;
const POLLS = 20_000;
/** Registers of one request: a float of each pair. */
const REGISTERS = 20;
/** The server's floats begin here. */
const FIRST = 600;
const DEVICES = 50;
const DEVICE_MS = 20;
const DEVICE_POLLS = 50;

interface Measured {
  readonly seconds: number;
  /** µs a poll, of the client alone. */
  readonly cpu: number;
}

const never = new AbortController().signal;
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const refs = Array.from({ length: REGISTERS / 2 }, (_, n): PointRef => ({
  pointId: `${n}`,
  address: `hr:${FIRST + 2 * n}:f32`,
  scale: 1,
  kind: 'gauge',
}));

export async function run(progress: (text: string) => void): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-modbus-'));
  const children: ChildProcess[] = [];
  try {
    const { server, client, version } = await compile(folder);
    const { driver } = await import('@parkline/modbus');
    const quick = await listen(server, 0, children);
    const raw = pollWithLibmodbus(client, quick, children);
    const connection = connect(driver, quick);
    const ours = (polls: number): Promise<Measured> => pollWithDriver(connection, polls);
    const all: { ours: Measured[]; raw: Measured[] } = { ours: [], raw: [] };
    for (let n = -1; n < RUNS; n += 1) {
      const pair =
        n % 2 === 0 ? [await ours(POLLS), await raw(POLLS)] : [await raw(POLLS), await ours(POLLS)].reverse();
      if (n < 0) continue; // The first round warms up.
      all.ours.push(pair[0]!);
      all.raw.push(pair[1]!);
      progress(`run ${n + 1}: driver ${rate(pair[0]!)}, libmodbus ${rate(pair[1]!)} polls/s`);
    }
    await connection.close();
    const ideal = await pollSlowDevices(driver, await listen(server, DEVICE_MS, children), progress);
    return summary(all, ideal, version);
  } finally {
    for (const child of children) child.stdin?.end();
    await rm(folder, { recursive: true });
  }
}

async function compile(folder: string): Promise<{ server: string; client: string; version: string }> {
  const built = [];
  for (const source of ['../interop/libmodbus-server.c', 'libmodbus-client.c']) {
    const program = await compileWithLibmodbus(
      [join(import.meta.dirname, source)],
      join(folder, `program-${built.length}`),
    );
    if (!program.ok) throw new MissingPeer(program.why);
    built.push(program);
  }
  return { server: built[0]!.path, client: built[1]!.path, version: built[0]!.version };
}

async function listen(server: string, delayMs: number, children: ChildProcess[]): Promise<number> {
  const child = spawn(server, ['tcp', String(delayMs)], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return Number(String((await once(child.stdout, 'data'))[0]));
}

const connect = (driver: DriverModule, port: number): Connection =>
  driver.openConnection(
    { transport: 'tcp', host: '127.0.0.1', port },
    { now: Date.now, log, dataDir: '/nowhere' },
  );

function pollWithLibmodbus(
  client: string,
  port: number,
  children: ChildProcess[],
): (polls: number) => Promise<Measured> {
  const child = spawn(client, [String(port), String(REGISTERS)], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  return async (polls) => {
    child.stdin.write(`${polls}\n`);
    const [seconds = 0, cpu = 0] = String((await once(lines, 'line'))[0])
      .split(' ')
      .map(Number);
    return { seconds, cpu: (cpu * 1e6) / polls };
  };
}

async function pollWithDriver(connection: Connection, polls: number): Promise<Measured> {
  const device = connection.device({ unit: 1 });
  const cpu = process.cpuUsage();
  const began = performance.now();
  for (let n = 0; n < polls; n += 1) {
    const samples = await device.read(refs, never);
    if (samples.some(({ quality }) => quality !== 'good')) throw new Error('the server fell out');
  }
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpu: (user + system) / polls };
}

/** Every device on a connection of its own, read again and again. @returns the ideal time over the time it took, by run. */
async function pollSlowDevices(
  driver: DriverModule,
  port: number,
  progress: (text: string) => void,
): Promise<number[]> {
  const connections = Array.from({ length: DEVICES }, () => connect(driver, port));
  const devices = connections.map((connection) => connection.device({ unit: 1 }));
  await Promise.all(devices.map((device) => device.read(refs, never)));
  const ratios: number[] = [];
  for (let n = 0; n < RUNS; n += 1) {
    const began = performance.now();
    await Promise.all(
      devices.map(async (device) => {
        for (let poll = 0; poll < DEVICE_POLLS; poll += 1) await device.read(refs, never);
      }),
    );
    ratios.push((DEVICE_POLLS * DEVICE_MS) / (performance.now() - began));
    progress(`50 devices, run ${n + 1}: ${round(ratios.at(-1)!)} of ideal`);
  }
  await Promise.all(connections.map((connection) => connection.close()));
  return ratios;
}

const rate = ({ seconds }: Measured): number => Math.round(POLLS / seconds);

function summary(
  { ours, raw }: { ours: readonly Measured[]; raw: readonly Measured[] },
  ideal: readonly number[],
  version: string,
): BenchResult {
  const ratios = ours.map((run, n) => rate(run) / rate(raw[n]!));
  const side = (runs: readonly Measured[]) => ({
    median: Math.round(median(runs.map(rate))),
    unit: 'polls/s',
    cpu_us_per_item: round(median(runs.map(({ cpu }) => cpu))),
  });
  return {
    bench: 'modbus',
    ratio: round(median(ratios)),
    better: 'higher',
    spread: round(spread(ratios)),
    runs: RUNS,
    ours: side(ours),
    raw: side(raw),
    ideal50: round(median(ideal)),
    ideal50_spread: round(spread(ideal)),
    machine: machine(),
    versions: { node: process.version, libmodbus: version },
    notes:
      `${POLLS} polls a run of ${REGISTERS} holding registers as ${REGISTERS / 2} float32 points, Modbus TCP on loopback, one request in ` +
      `flight, sides taking turns; both talk to one libmodbus server in a process of its own. ours is the whole driver: queue, transaction ` +
      `id, time-out, plan, decoding to the shortest decimal, quality, times. raw is a libmodbus client in C that reads and decodes the same floats. ` +
      `ideal50: ${DEVICES} devices on connections of their own that take ${DEVICE_MS} ms to answer, ${DEVICE_POLLS} polls each; the time all would ` +
      `take with no cost of ours over the time they took. cpu_us_per_item is of the client's process.`,
  };
}
