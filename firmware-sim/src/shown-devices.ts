import type { BusDeps, ShownDevice } from './buses.ts';
import { createDevice, type Device } from './device.ts';
import { readDeviceTable } from './device-table.ts';
import { createMeters, playEquipment } from './meters.ts';
import { readHourlyData } from './models/hourly-data.ts';
import type { Park } from './park.ts';
import type { ScenarioBook } from './scenario-book.ts';
import { shown } from './shown.ts';

/** A device on a Modbus bus besides the park's meters. */
export interface ExtraDevice {
  readonly bus: string;
  readonly unit: number;
  readonly device: Device;
}

/** The devices of each bus. */
export interface ShownDevices extends Pick<BusDeps, 'unitsOf' | 'devicesOf'> {
  /** Asks every meter for everything once, so that no later answer waits for sums over the past. */
  readMeters(t: number): void;
}

/** Every device with what it shows, scenarios and all, by its bus. */
export function showDevices(
  park: Park,
  seed: number,
  book: ScenarioBook,
  extra: readonly ExtraDevice[] = [],
): ShownDevices {
  const data = park.meters.length > 0 ? readHourlyData() : new Map<string, Float64Array>();
  const played = playEquipment(park, seed, book.troubles);
  const meters = createMeters(park, data, seed, played);
  const units = new Map(park.buses.map(({ key }) => [key, new Map<number, Device>()]));
  for (const { key, template, bus, unit } of park.meters)
    if (unit !== undefined)
      units.get(bus)?.set(unit, createDevice(readDeviceTable(template), shown(key, meters.get(key)!, book)));
  for (const { bus, unit, device } of extra) units.get(bus)?.set(unit, device);
  const equipment = park.equipment.map((device): ShownDevice => {
    const { quantities } = played.get(device.key)!;
    return { ...device, quantities: shown(device.key, quantities, book) };
  });
  const addressed = park.meters.flatMap(({ key, kind, template, bus, unit, address }): ShownDevice[] =>
    unit === undefined
      ? [{ key, kind, template, bus, address, model: {}, quantities: shown(key, meters.get(key)!, book) }]
      : [],
  );
  return {
    unitsOf: (bus) => units.get(bus) ?? new Map<number, Device>(),
    devicesOf: (bus) => [...addressed, ...equipment].filter((device) => device.bus === bus),
    readMeters(t) {
      for (const quantities of meters.values()) for (const read of quantities.values()) read(t);
    },
  };
}
