import type { GatewayHealth } from '@parkline/contract';
import type { FaultLog } from '../base/fault-log.ts';

type DeviceHealth = GatewayHealth['devices'][number];

/** One lost answer is noise; this many in a row are silence. */
const SILENT_AFTER = 2;

/** What the gateway knows of its devices. */
export interface DeviceBoard {
  /** The outcome of one read: undefined when the device answered, else why not. */
  outcome(equipmentId: string, error: unknown): void;
  /** The device cannot be read as configured: silent until somebody changes that. */
  broken(equipmentId: string, error: unknown): void;
  list(): DeviceHealth[];
}

export interface DeviceBoardDeps {
  readonly devices: readonly { readonly equipmentId: string; readonly name: string }[];
  /** Unix ms. */
  readonly now: () => number;
  readonly faults: FaultLog;
  /** A device came or went. */
  readonly onChange: () => void;
}

interface Entry {
  readonly name: string;
  health: DeviceHealth;
  failures: number;
}

export function createDeviceBoard({ devices, now, faults, onChange }: DeviceBoardDeps): DeviceBoard {
  const entries = new Map<string, Entry>(
    devices.map(({ equipmentId, name }) => [
      equipmentId,
      { name, failures: 0, health: { equipmentId, state: 'starting', lastOkAt: null, error: null } },
    ]),
  );

  function entryOf(equipmentId: string): Entry {
    const entry = entries.get(equipmentId);
    if (!entry) throw new Error(`no device ${equipmentId}`);
    return entry;
  }

  function set(entry: Entry, health: DeviceHealth): void {
    const isNews = health.state !== entry.health.state;
    entry.health = health;
    if (isNews) onChange();
  }

  return {
    outcome(equipmentId, error) {
      const entry = entryOf(equipmentId);
      const facts = { equipmentId, device: entry.name };
      if (error === undefined) {
        entry.failures = 0;
        set(entry, { equipmentId, state: 'online', lastOkAt: now(), error: null });
        faults.over(`device ${equipmentId}`, 'device answers again', facts);
        return;
      }
      entry.failures += 1;
      faults.fault(`device ${equipmentId}`, 'device does not answer', { ...facts, err: error });
      const isSilent = entry.health.state === 'silent' || entry.failures >= SILENT_AFTER;
      if (isSilent) set(entry, { ...entry.health, state: 'silent', error: textOf(error) });
    },
    broken(equipmentId, error) {
      const entry = entryOf(equipmentId);
      faults.fault(`device ${equipmentId}`, 'device is not readable as configured', {
        ...{ equipmentId, device: entry.name },
        err: error,
      });
      set(entry, { ...entry.health, state: 'silent', error: textOf(error) });
    },
    list: () => [...entries.values()].map(({ health }) => health),
  };
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
