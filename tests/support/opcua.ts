import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFaults, type FaultRule } from '../../firmware-sim/src/faults.ts';
import type { DeviceEntry } from '../../firmware-sim/src/request-log.ts';
import { createOpcuaServer, type OpcuaServerDeps } from '../../firmware-sim/src/servers/opcua.ts';
import type { OpcuaVariable } from '../../firmware-sim/src/tables/opcua-table.ts';

export type { DeviceEntry, FaultRule };

export interface OpcuaBenchLayout {
  /** By key and root alike: the devices, each with these variables. */
  readonly devices: readonly string[];
  readonly variables: readonly OpcuaVariable[];
  /** What a quantity is at Unix ms `t`. */
  readonly value: (quantity: string, t: number) => number;
  readonly users?: ReadonlyMap<string, string>;
  readonly userCertificates?: OpcuaServerDeps['userCertificates'];
  readonly limits?: OpcuaServerDeps['limits'];
  /** For the certificates of both sides; the bench's own, gone with it, when absent. */
  readonly folder?: string;
}

export interface OpcuaBench {
  readonly endpointUrl: string;
  readonly fingerprint: string;
  /** Everything told so far. */
  readonly told: readonly DeviceEntry[];
  /** For the driver's own things. */
  readonly folder: string;
  fault(rule: FaultRule): number;
  clear(): void;
  /** The server goes, sessions and all, and comes back at the same place with the same certificate. */
  unplug(): Promise<void>;
  plug(): Promise<void>;
  stop(): Promise<void>;
}

const BUS = 'line';

/** An OPC UA server with made-up devices on loopback. Drivers may not import the simulator; their tests reach it through here. */
export async function startOpcuaBench(layout: OpcuaBenchLayout): Promise<OpcuaBench> {
  const folder = layout.folder ?? mkdtempSync(join(tmpdir(), 'parkline-opcua-'));
  const told: DeviceEntry[] = [];
  const faults = createFaults();
  const { variables, value, users, userCertificates, limits } = layout;
  const quantities = new Map(
    variables.map(({ quantity }) => [quantity, (t: number) => value(quantity, t)] as const),
  );
  const server = createOpcuaServer({
    bus: BUS,
    devices: layout.devices.map((key) => ({
      key,
      address: { root: key },
      table: { device: 'bench', variables },
      quantities,
    })),
    faults,
    log: { write: (entry) => void ('device' in entry && told.push(entry)), close: () => undefined },
    now: Date.now,
    dataDir: join(folder, 'server'),
    ...(users && { users }),
    ...(userCertificates && { userCertificates }),
    ...(limits && { limits }),
  });
  let place = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    endpointUrl: `opc.tcp://${place.host}:${place.port}`,
    fingerprint: place.fingerprint ?? '',
    told,
    folder,
    fault: (rule) => faults.set(rule),
    clear: () => void faults.clear(),
    unplug: () => server.close(),
    plug: async () => {
      place = await server.listen(place);
    },
    stop: async () => {
      await server.close();
      if (layout.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
