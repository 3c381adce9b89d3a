import { join } from 'node:path';
import { createControlServer } from './control.ts';
import { createFaults, type Faults } from './faults.ts';
import { createNetwork, HOST, taken } from './network.ts';
import { type Park, protocolOf } from './park.ts';
import { CONTROL, type Ports } from './ports.ts';
import { noLog, type RequestLog } from './request-log.ts';
import { createScenarioBook } from './scenario-book.ts';
import { createScenarioPlayer, type ScenarioPlayer } from './scenario-player.ts';
import { readScenarios, type Scenario } from './scenarios.ts';
import { type ExtraDevice, showDevices } from './shown-devices.ts';

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
  readonly extra?: readonly ExtraDevice[];
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

/** All devices of a park on loopback. */
export function createSimulator(deps: SimulatorDeps): Simulator {
  const { park, log = noLog, now = Date.now, latencyMs = 0, dataDir, secrets = {} } = deps;
  const faults = createFaults();
  const book = createScenarioBook({
    scenarios: scenariosOf(park),
    ...(dataDir === undefined ? {} : { file: join(dataDir, 'scenarios.json') }),
  });
  const devices = showDevices(park, deps.seed, book, deps.extra);
  const network = createNetwork(park.buses, {
    ...{ faults, log, now, latencyMs, dataDir: dataDir ?? '' },
    ...devices,
    passwordOf: (key) => passwordOf(secrets, key),
  });
  const scenarios = createScenarioPlayer({ park, book, faults, now, setPresence: network.setPresence });
  const { unplug } = network;
  const plug = async (bus: string): Promise<void> => {
    await network.plug(bus);
    await scenarios.resume();
  };
  const control = createControlServer({ faults, unplug, plug, scenarios });
  const stop = async (): Promise<void> => void (await Promise.all([network.close(), control.close()]));

  return {
    ...{ faults, scenarios, unplug, plug, stop },
    async start(wanted = {}) {
      if (dataDir === undefined && park.buses.some((bus) => protocolOf(bus) !== 'modbus'))
        throw new Error(`park ${park.key} speaks more than Modbus: its servers need a dataDir`);
      devices.readMeters(now());
      try {
        const places = await network.open(wanted);
        const at = wanted[CONTROL]?.port ?? 0;
        const port = await control.listen(HOST, at).catch(taken(CONTROL, at));
        await scenarios.resume();
        return { ...places, [CONTROL]: { host: HOST, port } };
      } catch (error) {
        await stop(); // What listens already would keep a failed process alive.
        throw error;
      }
    },
  };
}

/** The scenarios whose devices the park has. */
function scenariosOf({ meters, equipment }: Park): Scenario[] {
  const keys = new Set([...meters, ...equipment].map(({ key }) => key));
  return readScenarios().filter(({ effects }) => effects.every(({ device }) => keys.has(device)));
}

function passwordOf(secrets: Readonly<Record<string, string>>, key: string): string {
  const token = secrets[key];
  if (token === undefined) throw new Error(`${key} has no token: start with --secrets FILE`);
  return token;
}
