// The gateway as a process: how much memory it takes with its usual drivers, with points, and how soon it works.
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  idleConnections,
  METER_POINTS,
  modbusConnections,
  rssMb,
  startGateway,
  startMeters,
} from './gateway-process.ts';
import { type BenchResult, machine, median, round, spread } from './report.ts';

const RUNS = 3;
const SETTLE_MS = 30_000;
const METERS = 40;
/** Meters behind each connection: 10,000 points in all, as many as a gateway may have. */
const UNITS = 5;
const THOUSANDS = (METERS * UNITS * METER_POINTS) / 1_000;
const MIB_PER_MB = 1e6 / 1_024 ** 2;

type Kind = 'usual' | 'modbus' | 'full';
interface Measured {
  /** MB of each gateway after it settled. */
  readonly mb: Readonly<Record<Kind, number>>;
  readonly readyMs: Readonly<Record<Kind, number>>;
  /** Of a process of Node that does nothing. */
  readonly nodeMb: number;
}

export async function run(progress: (text: string) => void): Promise<BenchResult> {
  const meters = await startMeters(METERS);
  const all: Measured[] = [];
  try {
    await oneRun(meters.ports, 0); // Fills the cache of compiled code, as the first start of an installation does.
    for (let n = 0; n < RUNS; n += 1) {
      const measured = await oneRun(meters.ports, SETTLE_MS);
      all.push(measured);
      const { mb, readyMs } = measured;
      progress(
        `run ${n + 1}: ${mb.usual.toFixed(1)} MB, Modbus alone ${mb.modbus.toFixed(1)}, 10,000 points ${mb.full.toFixed(1)}; ` +
          `ready ${Math.round(readyMs.usual)} and ${Math.round(readyMs.modbus)} ms`,
      );
    }
  } finally {
    await meters.stop();
  }
  return summary(all);
}

/** Three gateways, started one after the other and left alone together. */
async function oneRun(ports: readonly number[], settleMs: number): Promise<Measured> {
  const first = ports.slice(0, 1);
  using modbus = await startGateway(modbusConnections(first, 1, 1));
  using usual = await startGateway([...modbusConnections(first, 1, 1), ...idleConnections(await freePort())]);
  using full = await startGateway(modbusConnections(ports, UNITS, METER_POINTS));
  const gateways = { usual, modbus, full };
  const node = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  await sleep(settleMs);
  const measured = {
    mb: { usual: rssMb(usual.pid), modbus: rssMb(modbus.pid), full: rssMb(full.pid) },
    readyMs: { usual: usual.readyMs, modbus: modbus.readyMs, full: full.readyMs },
    nodeMb: rssMb(node.pid!),
  };
  node.kill();
  await Promise.all([once(node, 'exit'), ...Object.values(gateways).map((gateway) => gateway.stop())]);
  return measured;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function summary(all: readonly Measured[]): BenchResult {
  const ratios = all.map(({ mb, nodeMb }) => mb.usual / nodeMb);
  const mbOf = (kind: Kind): number => median(all.map(({ mb }) => mb[kind]));
  const readyOf = (kind: Kind): number => Math.round(median(all.map(({ readyMs }) => readyMs[kind])));
  const perThousand = all.map(({ mb }) => ((mb.full - mb.modbus) * MIB_PER_MB) / THOUSANDS);
  return {
    ...{
      bench: 'gateway',
      ratio: round(median(ratios)),
      better: 'lower',
      spread: round(spread(ratios)),
      runs: RUNS,
    },
    ours: { median: round(mbOf('usual'), 4), unit: 'MB', cpu_us_per_item: 0 },
    raw: { median: round(median(all.map(({ nodeMb }) => nodeMb)), 4), unit: 'MB', cpu_us_per_item: 0 },
    ...{ base_mb: round(mbOf('usual'), 4), base_modbus_mb: round(mbOf('modbus'), 4) },
    ...{ mib_per_1000_points: round(median(perThousand)), full_mb: round(mbOf('full'), 4) },
    ...{ ready_ms: readyOf('usual'), ready_modbus_ms: readyOf('modbus'), ready_full_ms: readyOf('full') },
    load: round(loadavg()[0]!),
    machine: machine(),
    versions: { node: process.version },
    notes:
      `Resident memory (MB of 10^6 bytes) ${SETTLE_MS / 1_000} s after the start. base_mb: Modbus, BACnet and MQTT, one device and point each, ` +
      `no cloud; base_modbus_mb: Modbus alone; full_mb: ${THOUSANDS * 1_000} Modbus points of ${METERS * UNITS} meters on ${METERS} connections, read ` +
      `every 5 s; mib_per_1000_points is what they add to base_modbus_mb. raw is a process of Node that does nothing. ready: from the ` +
      `start of the process to its line "ready", compiled code in the cache. load: of the machine. CPU is not counted here.`,
  };
}
