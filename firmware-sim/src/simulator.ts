import { createControlServer } from './control.ts';
import { createDevice, type Device } from './device.ts';
import { readDeviceTable } from './device-table.ts';
import { createFaults, type Faults } from './faults.ts';
import { createMeters } from './meters.ts';
import { readHourlyData } from './models/hourly-data.ts';
import type { Park } from './park.ts';
import { CONTROL, type Ports } from './ports.ts';
import { noLog, type RequestLog } from './request-log.ts';
import type { Listener } from './servers/listener.ts';
import { createModbusServer } from './servers/modbus.ts';

export interface SimulatorDeps {
  readonly park: Park;
  readonly seed: number;
  readonly log?: RequestLog;
  readonly now?: () => number;
  readonly latencyMs?: number;
  /** More devices on the park's buses than its meters, for tests: by bus and unit. */
  readonly extra?: readonly { readonly bus: string; readonly unit: number; readonly device: Device }[];
}

export interface Simulator {
  /** Binds every bus, on its port of `wanted` or a free one. @returns where they are. Rejects naming a port that is taken. */
  start(wanted?: Ports): Promise<Ports>;
  readonly faults: Faults;
  /** Takes a bus off the network, and back on its old port. */
  unplug(bus: string): Promise<void>;
  plug(bus: string): Promise<void>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

/** All devices of a park on loopback. */
export function createSimulator(deps: SimulatorDeps): Simulator {
  const { park, seed, log = noLog, now = Date.now, latencyMs = 0 } = deps;
  const faults = createFaults();
  const units = devicesOf(deps, seed);
  const buses = new Map<string, Listener>(
    park.buses.flatMap(({ key, transport }) => {
      if (!transport) return [];
      const shared = { bus: key, faults, log, now, latencyMs };
      return [[key, createModbusServer({ ...shared, transport, units: units.get(key) ?? new Map() })]];
    }),
  );
  let ports: Ports = {};

  const serverOf = (bus: string): Listener => {
    const server = buses.get(bus);
    if (!server) throw new Error(`no bus ${bus}; there are ${[...buses.keys()].join(', ')}`);
    return server;
  };
  const unplug = async (bus: string): Promise<void> => serverOf(bus).close();
  const plug = async (bus: string): Promise<void> =>
    void (await serverOf(bus).listen(HOST, ports[bus]?.port ?? 0));
  const control = createControlServer({ faults, unplug, plug });
  const stop = async (): Promise<void> => {
    await Promise.all([...buses.values(), control].map((server) => server.close()));
  };

  return {
    faults,
    unplug,
    plug,
    async start(wanted = {}) {
      const bound: Record<string, { host: string; port: number }> = {};
      for (const [key, server] of [...buses, [CONTROL, control] as const]) {
        const port = wanted[key]?.port ?? 0;
        try {
          bound[key] = { host: HOST, port: await server.listen(HOST, port) };
        } catch (error) {
          await stop(); // What listens already would keep a failed process alive.
          throw new Error(`${key} cannot listen on port ${port}`, { cause: error });
        }
      }
      ports = bound;
      return bound;
    },
    stop,
  };
}

function devicesOf({ park, extra = [] }: SimulatorDeps, seed: number): Map<string, Map<number, Device>> {
  const data = park.meters.length > 0 ? readHourlyData() : new Map<string, Float64Array>();
  const meters = createMeters(park, data, seed);
  const units = new Map(park.buses.map(({ key }) => [key, new Map<number, Device>()]));
  for (const { key, template, bus, unit } of park.meters) {
    units.get(bus)?.set(unit, createDevice(readDeviceTable(template), meters.get(key)!));
  }
  for (const { bus, unit, device } of extra) units.get(bus)?.set(unit, device);
  return units;
}
