import { join } from 'node:path';
import { type Driver, DriverError, type DriverLog } from '@parkline/kit';
import type { ConnectionConfig, DeviceConfig } from './config/schema.ts';
import type { FieldConnection, FieldModule } from './host/remote.ts';

/** A device with its live driver. */
export interface OpenDevice {
  readonly config: DeviceConfig;
  readonly driver: Driver;
  /** Name of the driver. */
  readonly protocol: string;
}

/** A configured connection. It is opened when its first device is, and not before. */
export interface Bus {
  readonly config: ConnectionConfig;
  /** Makes the driver of one device; no I/O yet. Rejects with why it cannot be used, which costs only this device. */
  open(device: DeviceConfig): Promise<OpenDevice>;
  /** Safe when it was never opened. */
  close(): Promise<void>;
}

export interface OpenDeps {
  /** Rejects for a protocol nobody knows. */
  readonly loadDriver: (protocol: string) => Promise<FieldModule>;
  /** Unix ms. */
  readonly now: () => number;
  readonly log: DriverLog;
  /** Folder of the gateway below which each connection has one of its own. */
  readonly dataDir: string;
}

export function createBus(config: ConnectionConfig, { loadDriver, now, log, dataDir }: OpenDeps): Bus {
  let opening: Promise<FieldConnection> | undefined;

  async function openConnection(): Promise<FieldConnection> {
    const module = await loadDriver(config.driver);
    const folder = join(dataDir, encodeURIComponent(config.id));
    return module.openConnection(config.params, { now, log, dataDir: folder });
  }

  function connection(): Promise<FieldConnection> {
    opening ??= openConnection().catch((error: unknown) => {
      opening = undefined; // The next device, or the next try, may have more luck.
      throw error;
    });
    return opening;
  }

  return {
    config,
    async open(device) {
      const driver = await (await connection()).device(device.params);
      return { config: device, driver, protocol: config.driver };
    },
    async close() {
      const opened = await opening?.catch(() => undefined);
      await opened?.close();
    },
  };
}

/** Whether only another configuration helps: what the driver says against its parameters stays true. */
export const isHopeless = (error: unknown): boolean =>
  error instanceof DriverError && error.code === 'config';
