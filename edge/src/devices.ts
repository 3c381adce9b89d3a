import { join } from 'node:path';
import type { Connection, Driver, DriverLog, DriverModule } from '@parkline/kit';
import type { ConnectionConfig, DeviceConfig, GatewayConfig } from './config/schema.ts';

/** A device with its live driver. */
export interface OpenDevice {
  readonly config: DeviceConfig;
  readonly driver: Driver;
  /** Name of the driver. */
  readonly protocol: string;
}

export interface OpenDevices {
  readonly devices: readonly OpenDevice[];
  /** Those that cannot be read as configured, with the reason. The others work without them. */
  readonly broken: readonly { readonly equipmentId: string; readonly error: unknown }[];
  close(): Promise<void>;
}

export interface OpenDeps {
  /** Rejects for a protocol nobody knows. */
  readonly loadDriver: (protocol: string) => Promise<DriverModule>;
  /** Unix ms. */
  readonly now: () => number;
  readonly log: DriverLog;
  /** Folder of the gateway below which each connection has one of its own. */
  readonly dataDir: string;
}

/** Makes the drivers of all configured devices; no I/O yet. One bad device or bus costs only itself. */
export async function openDevices(config: GatewayConfig, deps: OpenDeps): Promise<OpenDevices> {
  const connections: Connection[] = [];
  const devices: OpenDevice[] = [];
  const broken: { equipmentId: string; error: unknown }[] = [];
  for (const bus of config.connections) {
    const opened = await attempt(() => openConnection(bus, deps));
    if (opened.ok) connections.push(opened.value);
    for (const device of bus.devices) {
      const made = opened.ok ? await attempt(() => opened.value.device(device.params)) : opened;
      if (made.ok) devices.push({ config: device, driver: made.value, protocol: bus.driver });
      else broken.push({ equipmentId: device.equipmentId, error: made.error });
    }
  }
  return {
    devices,
    broken,
    async close() {
      await Promise.allSettled([
        ...devices.map(({ driver }) => driver.close()),
        ...connections.map((connection) => connection.close()),
      ]);
    },
  };
}

async function openConnection(bus: ConnectionConfig, deps: OpenDeps): Promise<Connection> {
  const { now, log, dataDir } = deps;
  const module = await deps.loadDriver(bus.driver);
  return module.openConnection(bus.params, { now, log, dataDir: join(dataDir, encodeURIComponent(bus.id)) });
}

type Attempt<T> = { ok: true; value: T } | { ok: false; error: unknown };

async function attempt<T>(work: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error };
  }
}
