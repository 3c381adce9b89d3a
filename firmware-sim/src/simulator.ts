import { join } from 'node:path';
import { type BusDeps, createBus, type ShownDevice } from './buses.ts';
import { createControlServer } from './control.ts';
import { createDevice, type Device } from './device.ts';
import { readDeviceTable } from './device-table.ts';
import { createFaults, type Faults } from './faults.ts';
import { createMeters, playEquipment } from './meters.ts';
import { readHourlyData } from './models/hourly-data.ts';
import { type Park, protocolOf } from './park.ts';
import { type BusPlace, CONTROL, type Ports } from './ports.ts';
import { noLog, type RequestLog } from './request-log.ts';
import { createScenarioBook, type ScenarioBook } from './scenario-book.ts';
import { createScenarioPlayer, type ScenarioPlayer, type SetPresence } from './scenario-player.ts';
import { readScenarios } from './scenarios.ts';
import type { BusServer } from './servers/bus-server.ts';
import { shown } from './shown.ts';

export interface SimulatorDeps {
  readonly park: Park;
  readonly seed: number;
  readonly log?: RequestLog;
  readonly now?: () => number;
  readonly latencyMs?: number;
  /** Keeps what must outlive a restart: scenarios that are on, certificates. Needed where a bus is not Modbus. */
  readonly dataDir?: string;
  /** Tokens of the devices that log in at a gateway, by key. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** More devices on the park's buses than its meters, for tests: by bus and unit. */
  readonly extra?: readonly { readonly bus: string; readonly unit: number; readonly device: Device }[];
}

export interface Simulator {
  /** Binds every bus, on its port of `wanted` or a free one. @returns where they are. Rejects naming a port that is taken. */
  start(wanted?: Ports): Promise<Ports>;
  readonly faults: Faults;
  readonly scenarios: ScenarioPlayer;
  /** Takes a bus off the network, and back on its old port. */
  unplug(bus: string): Promise<void>;
  plug(bus: string): Promise<void>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

/** All devices of a park on loopback. */
export function createSimulator(deps: SimulatorDeps): Simulator {
  const { park, log = noLog, now = Date.now, latencyMs = 0, dataDir, secrets = {} } = deps;
  const faults = createFaults();
  const book = createScenarioBook({
    scenarios: scenariosOf(park),
    ...(dataDir === undefined ? {} : { file: join(dataDir, 'scenarios.json') }),
  });
  const devices = devicesOf(deps, book);
  const shared: BusDeps = {
    ...{ faults, log, now, latencyMs, dataDir: dataDir ?? '' },
    ...devices,
    passwordOf: (key) => passwordOf(secrets, key),
  };
  const buses = new Map<string, BusServer>();
  let ports: Ports = {};

  const serverOf = (bus: string): BusServer => {
    const server = buses.get(bus);
    if (!server) throw new Error(`no bus ${bus}; there are ${park.buses.map(({ key }) => key).join(', ')}`);
    return server;
  };
  const unplug = async (bus: string): Promise<void> => serverOf(bus).close();
  const setPresence: SetPresence = async (bus, device, isThere) => {
    const server = serverOf(bus);
    const move = isThere ? server.join : server.leave;
    if (!move) throw new Error(`${device} cannot leave ${bus}: its devices share one server`);
    await move(device);
  };
  const scenarios = createScenarioPlayer({ park, book, faults, setPresence, now });
  const plug = async (bus: string): Promise<void> => {
    await serverOf(bus).listen(ports[bus] ?? { host: HOST, port: 0 });
    await scenarios.resume();
  };
  const control = createControlServer({ faults, unplug, plug, scenarios });
  const stop = async (): Promise<void> => {
    await Promise.all([...buses.values(), control].map((server) => server.close()));
  };

  return {
    faults,
    scenarios,
    unplug,
    plug,
    async start(wanted = {}) {
      if (dataDir === undefined && park.buses.some((bus) => protocolOf(bus) !== 'modbus'))
        throw new Error(`park ${park.key} speaks more than Modbus: its servers need a dataDir`);
      devices.readMeters(now()); // Sums up what they counted so far, before anybody waits for an answer.
      for (const bus of park.buses) buses.set(bus.key, await createBus(bus, shared));
      const places: (readonly [string, BusPlace])[] = [];
      try {
        for (const [key, server] of buses) places.push([key, await listen(key, server, wanted[key])]);
        const at = wanted[CONTROL]?.port ?? 0;
        places.push([
          CONTROL,
          { host: HOST, port: await control.listen(HOST, at).catch(taken(CONTROL, at)) },
        ]);
      } catch (error) {
        await stop(); // What listens already would keep a failed process alive.
        throw error;
      }
      ports = Object.fromEntries(places);
      await scenarios.resume();
      return ports;
    },
    stop,
  };
}

const listen = (key: string, server: BusServer, wanted?: BusPlace): Promise<BusPlace> =>
  server.listen(wanted ?? { host: HOST, port: 0 }).catch(taken(key, wanted?.port ?? 0));

const taken = (key: string, port: number) => (cause: unknown) => {
  throw new Error(`${key} cannot listen on port ${port}`, { cause });
};

/** The scenarios whose devices the park has. */
function scenariosOf({ meters, equipment }: Park) {
  const keys = new Set([...meters, ...equipment].map(({ key }) => key));
  return readScenarios().filter(({ effects }) => effects.every(({ device }) => keys.has(device)));
}

function passwordOf(secrets: Readonly<Record<string, string>>, key: string): string {
  const token = secrets[key];
  if (token === undefined) throw new Error(`${key} has no token: start with --secrets FILE`);
  return token;
}

/** Every device with what it shows, scenarios and all, by its bus. */
function devicesOf(
  { park, seed, extra = [] }: SimulatorDeps,
  book: ScenarioBook,
): Pick<BusDeps, 'unitsOf' | 'devicesOf'> & { readMeters(t: number): void } {
  const data = park.meters.length > 0 ? readHourlyData() : new Map<string, Float64Array>();
  const played = playEquipment(park, seed, book.troubles);
  const meters = createMeters(park, data, seed, played);
  const units = new Map(park.buses.map(({ key }) => [key, new Map<number, Device>()]));
  for (const { key, template, bus, unit } of park.meters)
    units.get(bus)?.set(unit, createDevice(readDeviceTable(template), shown(key, meters.get(key)!, book)));
  for (const { bus, unit, device } of extra) units.get(bus)?.set(unit, device);
  const equipment = park.equipment.map((device): ShownDevice => {
    const { quantities } = played.get(device.key)!;
    return { ...device, quantities: shown(device.key, quantities, book) };
  });
  return {
    unitsOf: (bus) => units.get(bus) ?? new Map<number, Device>(),
    devicesOf: (bus) => equipment.filter((device) => device.bus === bus),
    readMeters(t) {
      for (const quantities of meters.values()) for (const read of quantities.values()) read(t);
    },
  };
}
