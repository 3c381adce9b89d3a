import type { GatewayHealth } from '@parkline/contract';
import type { FaultLog } from '../base/fault-log.ts';

type DeviceHealth = GatewayHealth['devices'][number];

/** One lost answer is noise; this many in a row are silence. */
const SILENT_AFTER = 2;

/** What the gateway knows of its devices. */
export interface DeviceBoard {
  /**
   * The outcome of one read begun at Unix ms `beganAt`: undefined when the device answered, else why not. A device that
   * pushed meanwhile is not silent, whatever became of the read.
   */
  outcome(equipmentId: string, error: unknown, beganAt: number): void;
  /** The device pushed something. */
  told(equipmentId: string): void;
  /** The driver knows that the device is gone: silent at once. */
  lost(equipmentId: string, error: unknown): void;
  /** The device cannot be read as configured: silent until somebody changes that. */
  broken(equipmentId: string, error: unknown): void;
  list(): DeviceHealth[];
  /** For a person: which of these devices (equipment ids) do not answer; undefined: all do. */
  silence(required: readonly string[]): string | undefined;
  /** Goes over to other devices: those in `kept` (equipment ids) stay as they are, every other one starts. */
  change(devices: readonly BoardDevice[], kept: ReadonlySet<string>): void;
}

export interface BoardDevice {
  readonly equipmentId: string;
  readonly name: string;
}

export interface DeviceBoardDeps {
  readonly devices: readonly BoardDevice[];
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

/** Says which of the `required` devices (equipment ids) do not answer; undefined: all do. Pure. */
export function silenceOf(
  devices: readonly DeviceHealth[],
  required: readonly string[],
  nameOf: (id: string) => string | undefined,
): string | undefined {
  const online = new Set(
    devices.flatMap(({ state, equipmentId }) => (state === 'online' ? equipmentId : [])),
  );
  const silent = required.filter((id) => !online.has(id));
  if (silent.length === 0) return undefined;
  const names = silent.map((id) => nameOf(id) ?? id).join(', ');
  return `${silent.length} of ${required.length} devices that answered before do not: ${names}`;
}

export function createDeviceBoard({ devices, now, faults, onChange }: DeviceBoardDeps): DeviceBoard {
  let entries = new Map(devices.map((device) => [device.equipmentId, starting(device)]));

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

  function alive(equipmentId: string): void {
    const entry = entryOf(equipmentId);
    entry.failures = 0;
    set(entry, { equipmentId, state: 'online', lastOkAt: now(), error: null });
    faults.over(`device ${equipmentId}`, 'device answers again', { equipmentId, device: entry.name });
  }

  function fail(equipmentId: string, error: unknown, isCertain: boolean): void {
    const entry = entryOf(equipmentId);
    entry.failures += 1;
    faults.fault(`device ${equipmentId}`, 'device does not answer', {
      ...{ equipmentId, device: entry.name },
      err: error,
    });
    const isSilent = isCertain || entry.health.state === 'silent' || entry.failures >= SILENT_AFTER;
    if (isSilent) set(entry, { ...entry.health, state: 'silent', error: textOf(error) });
  }

  return {
    outcome(equipmentId, error, beganAt) {
      if (error === undefined) {
        alive(equipmentId);
        return;
      }
      const { lastOkAt } = entryOf(equipmentId).health;
      const hasTold = lastOkAt !== null && lastOkAt > beganAt && lastOkAt <= now();
      if (!hasTold) fail(equipmentId, error, false);
    },
    told: alive,
    lost(equipmentId, error) {
      fail(equipmentId, error, true);
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
    silence: (required) =>
      silenceOf(
        [...entries.values()].map(({ health }) => health),
        required,
        (id) => entries.get(id)?.name,
      ),
    change(wanted, kept) {
      const before = entries;
      entries = new Map(
        wanted.map((device) => {
          const known = kept.has(device.equipmentId) ? before.get(device.equipmentId) : undefined;
          return [device.equipmentId, known ?? starting(device)];
        }),
      );
      onChange();
    },
  };
}

const starting = ({ equipmentId, name }: BoardDevice): Entry => ({
  name,
  failures: 0,
  health: { equipmentId, state: 'starting', lastOkAt: null, error: null },
});

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
