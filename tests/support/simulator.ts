import { createDevice } from '../../firmware-sim/src/device.ts';
import { readDeviceTable } from '../../firmware-sim/src/device-table.ts';
import type { FaultRule } from '../../firmware-sim/src/faults.ts';
import { type Bus, parsePark, type Transport } from '../../firmware-sim/src/park.ts';
import type { LogEntry } from '../../firmware-sim/src/request-log.ts';
import { createSimulator } from '../../firmware-sim/src/simulator.ts';

export type { FaultRule, LogEntry };

/** Units of bench devices, by bus. */
export interface BenchLayout {
  readonly transport: Transport;
  /** One bus each, with these units on it. */
  readonly buses: Readonly<Record<string, readonly number[]>>;
  readonly latencyMs?: number;
  /** Table below firmware-sim/devices; each unit is a device of its own. */
  readonly table?: string;
}

export interface BenchSimulator {
  readonly ports: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
  /** Everything served so far. */
  readonly served: readonly LogEntry[];
  fault(rule: FaultRule): number;
  clear(): void;
  unplug(bus: string): Promise<void>;
  plug(bus: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Bench devices that show one constant of every type and order (firmware-sim/devices/test-bench/all-types.yaml), on loopback.
 * Drivers may not import the simulator; their tests reach it through here.
 */
export async function startBench({
  transport,
  buses,
  latencyMs = 0,
  table = 'test-bench/all-types',
}: BenchLayout): Promise<BenchSimulator> {
  const empty = parsePark('{ key: bench, site: { timezone: UTC }, buildings: [] }', 'bench');
  const rows = readDeviceTable(table);
  const served: LogEntry[] = [];
  const simulator = createSimulator({
    park: { ...empty, buses: Object.keys(buses).map((key): Bus => ({ key, transport })) },
    seed: 1,
    latencyMs,
    log: { write: (entry) => void ('unit' in entry && served.push(entry)), close: () => undefined },
    extra: Object.entries(buses).flatMap(([bus, units]) =>
      units.map((unit) => ({ bus, unit, device: createDevice(rows, new Map()) })),
    ),
  });
  const ports = await simulator.start();
  return {
    ports,
    served,
    fault: (rule) => simulator.faults.set(rule),
    clear: () => void simulator.faults.clear(),
    unplug: (bus) => simulator.unplug(bus),
    plug: (bus) => simulator.plug(bus),
    stop: () => simulator.stop(),
  };
}
