import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export const transports = ['tcp', 'rtu-over-tcp'] as const;
export type Transport = (typeof transports)[number];

export const protocols = ['modbus', 'bacnet', 'opcua', 'mqtt', 'dlt645', 'cjt188'] as const;
/** Protocols whose buses carry meters that measure a load. */
const meterProtocols: readonly Protocol[] = ['modbus', 'dlt645', 'cjt188'];
export type Protocol = (typeof protocols)[number];

export interface ModbusBus {
  readonly key: string;
  /** Modbus where nothing is said. */
  readonly protocol?: 'modbus';
  readonly transport: Transport;
}

export interface EquipmentBus {
  readonly key: string;
  readonly protocol: Exclude<Protocol, 'modbus'>;
  readonly transport?: undefined;
}

export type Bus = ModbusBus | EquipmentBus;

/** What flows through a meter: a column of the hourly data, meters and equipment behind it; or meters alone, with losses. */
export type LoadRecipe =
  | {
      readonly column: string;
      readonly times: number;
      readonly above?: number;
      /** Keys of meters whose use passes this one, too. */
      readonly plus?: readonly string[];
      /** Keys of equipment whose motors this meter feeds. */
      readonly equipment?: readonly string[];
    }
  | { readonly sum: readonly string[]; readonly times: number };

export interface Meter {
  readonly key: string;
  readonly kind: string;
  /** Id of the model, `<kind>/<vendor>-<model>`: the device table of the same name. */
  readonly template: string;
  readonly bus: string;
  /** On a Modbus bus. */
  readonly unit?: number;
  /** On any other, in the words of its protocol: `{address}`. The server of the bus checks it. */
  readonly address?: unknown;
  readonly load: LoadRecipe;
  readonly start: number;
}

export interface Equipment {
  readonly key: string;
  readonly kind: string;
  readonly template: string;
  readonly bus: string;
  /** In the words of the bus's protocol: `{device}`, `{root}` or `{username}`. The server of the bus checks it. */
  readonly address: unknown;
  /** What the kind's model wants to know, such as `{ahu, flow}` of an air terminal. */
  readonly model: Readonly<Record<string, unknown>>;
}

/** The part of a park file that the simulator plays. */
export interface Park {
  readonly key: string;
  readonly timezone: string;
  readonly buses: readonly Bus[];
  readonly meters: readonly Meter[];
  readonly equipment: readonly Equipment[];
}

interface RawPark {
  key: string;
  site: { timezone: string };
  buildings: {
    buses: Bus[];
    meters: Meter[];
    equipment?: (Omit<Equipment, 'model'> & { model?: Equipment['model'] })[];
  }[];
}

/** @throws Error listing every fault of the file, or why it cannot be read. */
export function readPark(path: string): Park {
  return parsePark(readFileSync(path, 'utf8'), path);
}

/** Spaces, tenants and leases are the cloud's and let through. @param name Names the file in errors. */
export function parsePark(text: string, name: string): Park {
  const raw = parse(text) as RawPark;
  const park = {
    key: raw.key,
    timezone: raw.site.timezone,
    buses: raw.buildings.flatMap(({ buses }) => buses),
    meters: raw.buildings.flatMap(({ meters }) => meters),
    equipment: raw.buildings.flatMap(({ equipment = [] }) =>
      equipment.map((device) => ({ ...device, model: device.model ?? {} })),
    ),
  };
  const faults = parkFaults(park);
  if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
  return park;
}

export const protocolOf = ({ protocol = 'modbus' }: Bus): Protocol => protocol;

/** What cannot be played of a park, one line each. */
function parkFaults(park: Park): string[] {
  const { buses, meters, equipment } = park;
  const devices = [...meters, ...equipment].map(({ key }) => key);
  return [
    ...repeated(buses.map(({ key }) => key)).map((key) => `bus ${key} is there twice`),
    ...buses.flatMap(busFaults),
    ...repeated(devices).map((key) => `device ${key} is there twice`),
    ...repeated(meters.map(placeOf)).map((at) => `two meters at ${at}`),
    ...meters.flatMap((meter) => meterFaults(meter, park)),
    ...equipment.flatMap((device) => equipmentFaults(device, park)),
  ];
}

const placeOf = ({ bus, unit, address }: Meter): string =>
  unit === undefined ? `${bus} ${JSON.stringify(address)}` : `${bus} unit ${unit}`;

function busFaults(bus: Bus): string[] {
  const { key, transport } = bus;
  const protocol = protocolOf(bus);
  if (!protocols.includes(protocol))
    return [`bus ${key}: protocol is ${String(protocol)}, not one of ${protocols.join(', ')}`];
  if (protocol !== 'modbus' || (transport && transports.includes(transport))) return [];
  return [`bus ${key}: transport is ${String(transport)}, not one of ${transports.join(', ')}`];
}

function meterFaults({ key, bus, unit, load, start }: Meter, { buses, meters, equipment }: Park): string[] {
  const faults: string[] = [];
  const found = buses.find((known) => known.key === bus);
  if (!found) faults.push(`meter ${key}: no bus ${bus}`);
  else if (!meterProtocols.includes(protocolOf(found)))
    faults.push(`meter ${key}: ${bus} is not a Modbus bus or another of meters`);
  if (found && protocolOf(found) === 'modbus' && !isUnit(unit))
    faults.push(`meter ${key}: unit ${unit} is not 1..247`);
  if (!Number.isFinite(start) || start < 0) faults.push(`meter ${key}: start is ${start}`);
  if (!Number.isFinite(load.times)) faults.push(`meter ${key}: load.times is ${load.times}`);
  for (const part of 'sum' in load ? load.sum : (load.plus ?? []))
    if (!meters.some((known) => known.key === part)) faults.push(`meter ${key}: no meter ${part} to sum`);
  for (const part of 'sum' in load ? [] : (load.equipment ?? []))
    if (!equipment.some((known) => known.key === part))
      faults.push(`meter ${key}: no equipment ${part} to feed`);
  return faults;
}

const isUnit = (unit: number | undefined): boolean =>
  unit !== undefined && Number.isInteger(unit) && unit >= 1 && unit <= 247;

function equipmentFaults({ key, bus }: Equipment, { buses }: Park): string[] {
  const found = buses.find((known) => known.key === bus);
  if (!found) return [`equipment ${key}: no bus ${bus}`];
  return meterProtocols.includes(protocolOf(found))
    ? [
        `equipment ${key}: ${bus} is a ${protocolOf(found) === 'modbus' ? 'Modbus' : protocolOf(found)} bus, which carries meters only`,
      ]
    : [];
}

const repeated = (names: readonly string[]): string[] =>
  names.filter((name, index) => names.indexOf(name) !== index);
