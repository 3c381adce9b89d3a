import { createFaults, type FaultRule } from '../../firmware-sim/src/faults.ts';
import type { DeviceEntry } from '../../firmware-sim/src/request-log.ts';
import type { Bbmd } from '../../firmware-sim/src/servers/bacnet-bbmd.ts';
import { createBacnetServer } from '../../firmware-sim/src/servers/bacnet.ts';
import {
  type Access,
  type BacnetTable,
  parseBacnetTable,
} from '../../firmware-sim/src/tables/bacnet-table.ts';

/** A controller of the bench. */
export interface BacnetBenchDevice {
  readonly instance: number;
  /** Value shown by each object, by its short name: AI-3, BI-1. */
  readonly objects: Readonly<Record<string, number>>;
  /** How the controller differs from one that can do everything. */
  readonly traits?: Partial<Omit<BacnetTable, 'device' | 'rows'>>;
  /** Who may write an object, where it is not as usual: by priority to outputs and values, nobody to inputs. */
  readonly access?: Readonly<Record<string, Access>>;
}

export interface BacnetBench {
  /** Where Who-Is is heard by all. */
  readonly place: { readonly host: string; readonly port: number };
  /** The BBMD at that place. */
  readonly bbmd: Bbmd;
  /** Everything told so far. */
  readonly told: readonly DeviceEntry[];
  /** Changes what an object shows. */
  show(instance: number, object: string, value: number): void;
  fault(rule: Omit<FaultRule, 'bus'>): number;
  clear(): void;
  /** All devices leave the network; back on it, each has another port and has forgotten its subscriptions. */
  unplug(): Promise<void>;
  plug(): Promise<void>;
  stop(): Promise<void>;
}

/** Key of a device of the bench in faults and log. */
export const benchKey = (instance: number): string => `device-${instance}`;

/**
 * Simulated BACnet controllers on loopback. Drivers may not import the simulator; their tests reach it through here.
 * @param options `isLogged` false keeps no log, which a long run would fill.
 */
export async function startBacnetBench(
  devices: readonly BacnetBenchDevice[],
  { isLogged = true }: { readonly isLogged?: boolean } = {},
): Promise<BacnetBench> {
  const faults = createFaults();
  const told: DeviceEntry[] = [];
  const shown = new Map(devices.map(({ instance, objects }) => [instance, new Map(Object.entries(objects))]));
  const server = createBacnetServer({
    bus: 'bench',
    devices: devices.map(({ instance, objects, traits, access }) => ({
      key: benchKey(instance),
      address: { device: instance },
      table: { ...tableOf(objects, access), ...traits },
      quantities: new Map(Object.keys(objects).map((id) => [id, () => shown.get(instance)!.get(id)!])),
    })),
    faults,
    log: {
      write: (entry) => void (isLogged && 'device' in entry && told.push(entry)),
      close: () => undefined,
    },
    now: Date.now,
    dataDir: '/nowhere',
  });
  const place = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    place,
    bbmd: server.bbmd,
    told,
    show: (instance, object, value) => void shown.get(instance)!.set(object, value),
    fault: (rule) => faults.set({ ...rule, bus: 'bench' }),
    clear: () => void faults.clear(),
    unplug: () => server.close(),
    plug: async () => void (await server.listen(place)),
    stop: () => server.close(),
  };
}

/** The quantity of an object is called like the object. */
function tableOf(
  objects: Readonly<Record<string, number>>,
  access: Readonly<Record<string, Access>> = {},
): BacnetTable {
  const rows = Object.keys(objects).map((id) => {
    const analog = id.startsWith('A') ? ', units: no-units, increment: 0.5, digits: 3' : '';
    const written = access[id] ? `, access: ${access[id]}` : '';
    return `  - { id: ${id}, name: ${id}, quantity: ${id}${analog}${written} }`;
  });
  return parseBacnetTable(['device: Bench', 'objects:', ...rows].join('\n'), 'bench');
}
