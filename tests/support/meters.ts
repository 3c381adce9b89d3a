import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFaults, type FaultRule } from '../../firmware-sim/src/faults.ts';
import { type Park, readPark } from '../../firmware-sim/src/park.ts';
import type { DeviceEntry, LogEntry } from '../../firmware-sim/src/request-log.ts';
import { createCjt188Server } from '../../firmware-sim/src/servers/cjt188.ts';
import { createDlt645Server } from '../../firmware-sim/src/servers/dlt645.ts';
import { createSimulator, type Simulator } from '../../firmware-sim/src/simulator.ts';
import { readCjt188Table } from '../../firmware-sim/src/tables/cjt188-table.ts';
import { readDlt645Table } from '../../firmware-sim/src/tables/dlt645-table.ts';
import { createSerialDial } from '../../protocols/kit/src/line/serial-dial.ts';
import { startPtyPair } from './pty-pair.ts';

export interface MeterBench {
  readonly port: number;
  /** What was asked and how it ended. */
  readonly served: readonly (LogEntry | DeviceEntry)[];
  /** @returns a number that names the rule. */
  fault(rule: Omit<FaultRule, 'bus'>): number;
  clear(): void;
  unplug(): Promise<void>;
  plug(): Promise<void>;
  stop(): Promise<void>;
}

/** A simulated line of meters that show constants, on loopback: key to address, and the device table of each. */
export async function startMeters(
  protocol: 'dlt645' | 'cjt188',
  meters: readonly { readonly key: string; readonly address: string; readonly table: string }[],
): Promise<MeterBench> {
  const faults = createFaults();
  const served: (LogEntry | DeviceEntry)[] = [];
  const shared = { bus: 'line', faults, now: Date.now, dataDir: '' };
  const log = { write: (entry: LogEntry | DeviceEntry) => void served.push(entry), close: () => undefined };
  const devices = <Table>(read: (id: string) => Table) =>
    meters.map(({ key, address, table }) => ({
      ...{ key, address: { address }, quantities: new Map(), table: read(table) },
    }));
  const server =
    protocol === 'dlt645'
      ? createDlt645Server({ ...shared, log, devices: devices(readDlt645Table) })
      : createCjt188Server({ ...shared, log, devices: devices(readCjt188Table) });
  const place = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    port: place.port,
    served,
    fault: (rule) => faults.set({ ...rule, bus: 'line' }),
    clear: () => void faults.clear(),
    unplug: () => server.close(),
    plug: async () => void (await server.listen(place)),
    stop: () => server.close(),
  };
}

export interface SerialBench {
  /** The serial port behind which the meters are: the same name after it was pulled out and put back. */
  readonly path: string;
  unplug(): Promise<void>;
  plug(): Promise<void>;
  close(): Promise<void>;
}

/** Puts what listens on a TCP port of this machine behind a serial port. @returns why this machine has none. */
export async function behindSerial(port: number): Promise<SerialBench | { readonly why: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'parkline-serial-'));
  const path = join(folder, 'ttyUSB0');
  let cable = await lay(path, port);
  if ('why' in cable) return cable;
  const unplug = (): Promise<void> => ('why' in cable ? Promise.resolve() : cable.pull());
  return {
    path,
    unplug,
    async plug() {
      cable = await lay(path, port);
    },
    async close() {
      await unplug();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function lay(
  path: string,
  port: number,
): Promise<{ pull(): Promise<void> } | { readonly why: string }> {
  const pair = await startPtyPair();
  if ('why' in pair) return pair;
  await symlink(pair.near, path);
  const socket = connect({ host: '127.0.0.1', port });
  const settings = { path: pair.far, baudRate: 9_600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  const line = await createSerialDial(settings)(
    { onData: (bytes) => void socket.write(bytes), onClose: () => socket.destroy() },
    new AbortController().signal,
  );
  socket.on('data', (bytes) => line.write(bytes));
  socket.on('error', () => socket.destroy());
  return {
    async pull() {
      await rm(path, { force: true });
      await line.destroy();
      socket.destroy();
      await pair.close();
    },
  };
}

/** The park of Chinese meters (firmware-sim/parks/meters.yaml), running in this process. */
export async function startMeterPark(): Promise<{
  readonly park: Park;
  readonly ports: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
  /** What was asked and how it ended. */
  readonly served: readonly DeviceEntry[];
  readonly simulator: Simulator;
  stop(): Promise<void>;
}> {
  const park = readPark(join(import.meta.dirname, '../../firmware-sim/parks/meters.yaml'));
  const dataDir = await mkdtemp(join(tmpdir(), 'parkline-meters-'));
  const served: DeviceEntry[] = [];
  const simulator = createSimulator({
    ...{ park, dataDir, seed: 1 },
    log: { write: (entry) => void ('device' in entry && served.push(entry)), close: () => undefined },
  });
  const ports = await simulator.start();
  return {
    ...{ park, ports, served, simulator },
    async stop() {
      await simulator.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
