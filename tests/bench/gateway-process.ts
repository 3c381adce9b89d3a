import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { makeHome } from '../../edge/src/testing/home.ts';
import { scratch } from '../../edge/src/testing/scratch.ts';

const GATEWAY = join(import.meta.dirname, '../../edge/src/main.ts');
const METERS = join(import.meta.dirname, 'modbus-meters.ts');
export const POLL_MS = 5_000;
/** Points of one meter: floats in a row, which one request reads. */
export const METER_POINTS = 50;

const uuid = (kind: number, n: number): string =>
  `018f0000-0000-7000-8${kind.toString(16).padStart(3, '0')}-${n.toString(16).padStart(12, '0')}`;

/** Modbus TCP connections to `ports`, each with `units` meters of `points` points. */
export function modbusConnections(ports: readonly number[], units: number, points: number): object[] {
  return ports.map((port, p) => ({
    id: `bus-${p}`,
    driver: 'modbus',
    params: { transport: 'tcp', host: '127.0.0.1', port },
    devices: Array.from({ length: units }, (_, u) => ({
      equipmentId: uuid(1, p * units + u),
      name: `Meter ${p * units + u}`,
      params: { unit: u + 1 },
      points: Array.from({ length: points }, (__, n) => ({
        ...{ id: uuid(2, (p * units + u) * points + n), address: `hr:${2 * n}:f32`, pollMs: POLL_MS },
        ...{ kind: 'gauge', unit: 'kW' },
      })),
    })),
  }));
}

/** One BACnet device that nobody answers for at `port`, and a broker on `port`: both as they stand idle in a building. */
export const idleConnections = (port: number): object[] => [
  {
    id: 'bacnet',
    driver: 'bacnet',
    params: { host: '127.0.0.1', port: 0, whoIs: [{ host: '127.0.0.1', port }] },
    devices: [device(3, { device: 1 }, 'binary-input,1')],
  },
  {
    id: 'mqtt',
    driver: 'mqtt',
    params: { mode: 'broker', host: '127.0.0.1', port },
    devices: [device(4, { username: 'sensor', passwordSha256: 'ab'.repeat(32) }, 'state:/temperature')],
  },
];

const device = (kind: number, params: object, address: string): object => ({
  ...{ equipmentId: uuid(kind, 0), name: `Device ${kind}`, params },
  points: [{ id: uuid(kind, 1), address, kind: 'state', unit: '1', pollMs: POLL_MS }],
});

export interface GatewayProcess {
  readonly pid: number;
  readonly home: string;
  /** From the start of the process to its line `ready`, ms. */
  readonly readyMs: number;
  /** Lines it logged at level warn or above. */
  readonly troubles: readonly string[];
  /** As an operator stops it; resolves when everything is on disk. */
  stop(): Promise<void>;
  /** Takes its home away. */
  [Symbol.dispose](): void;
}

/** The gateway as it is installed, with a home and keys of its own and no cloud. @throws Error with its last words when it ends. */
export async function startGateway(connections: readonly object[], every = false): Promise<GatewayProcess> {
  const home = scratch();
  const config = { version: 1, gatewayId: uuid(0, 1), name: 'Bench', report: { every }, connections };
  makeHome(home.path, JSON.stringify({ ...config, nats: { url: 'nats://127.0.0.1:9' } }));
  const began = performance.now();
  const child = spawn(process.execPath, [GATEWAY, '--home', home.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const troubles: string[] = [];
  await readyLine(createInterface({ input: child.stdout }), child, troubles);
  const readyMs = performance.now() - began;
  return {
    ...{ pid: child.pid!, home: home.path, readyMs, troubles },
    stop: () => ended(child),
    [Symbol.dispose]() {
      child.kill('SIGKILL'); // Nothing to do where it has ended.
      home[Symbol.dispose]();
    },
  };
}

function readyLine(lines: Interface, child: ChildProcess, troubles: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const { level, msg } = JSON.parse(line) as { level: number; msg: string };
      if (level >= 40) troubles.push(line);
      if (msg === 'ready') resolve();
    });
    child.once('exit', () => {
      reject(new Error(`the gateway ended before it was ready: ${troubles.at(-1) ?? 'without a word'}`));
    });
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** Resident memory of a process, MB of 10^6 bytes. */
export function rssMb(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} has no memory any more`);
  return (Number(kib) * 1_024) / 1e6;
}

export interface Meters {
  readonly ports: readonly number[];
  /** Ends them. @returns when each was asked, monotonic ms since the Unix epoch. */
  stop(): Promise<number[][]>;
}

/** Simulated meters in a process of their own, each on a port of its own. */
export async function startMeters(count: number): Promise<Meters> {
  const child = spawn(process.execPath, [METERS, String(count)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const next = async (): Promise<unknown> => JSON.parse(String((await once(lines, 'line'))[0]));
  const ports = (await next()) as number[];
  return {
    ports,
    async stop() {
      const report = next();
      child.stdin.end();
      return (await report) as number[][];
    },
  };
}
