import type { BusProtocol, ParkBuilding } from './park-file.ts';
import type { EquipmentParams } from './tables.ts';

/** A meter or another device of a building, told in one way. */
export interface ParkDevice {
  readonly what: 'meter' | 'equipment';
  readonly key: string;
  readonly name: { readonly en: string; readonly zh: string };
  readonly kind: string;
  readonly template: string;
  readonly bus: string;
  /** Undefined when the building has no such bus. */
  readonly protocol: BusProtocol | undefined;
  /** Where on the bus, as the database keeps it. */
  readonly params: EquipmentParams;
  readonly floor: string | undefined;
  readonly submeterOf: string | undefined;
  readonly serves: readonly string[];
}

/** Everything of a building that has points, in the order of the file. Pure. */
export function devicesOf({ buses, meters, equipment = [] }: ParkBuilding): ParkDevice[] {
  const busOf = new Map(buses.map((bus) => [bus.key, bus]));
  const told = [
    ...meters.map(({ unit, address, submeterOf, ...meter }) => ({
      ...{ what: 'meter' as const, submeterOf: submeterOf ?? undefined, serves: [] },
      address: { ...address, ...(unit !== undefined && { unit }) },
      ...meter,
    })),
    ...equipment.map((unit) => ({ what: 'equipment' as const, submeterOf: undefined, serves: [], ...unit })),
  ];
  return told.map(({ what, key, name, kind, template, bus, address, floor, submeterOf, serves }) => {
    const on = busOf.get(bus);
    const protocol = on && (on.protocol ?? 'modbus');
    const params = protocol === 'modbus' ? { ...address, transport: on?.transport ?? 'tcp' } : address;
    return { what, key, name, kind, template, bus, protocol, params, floor, submeterOf, serves };
  });
}
