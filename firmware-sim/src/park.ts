import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export const transports = ['tcp', 'rtu-over-tcp'] as const;
export type Transport = (typeof transports)[number];

export interface Bus {
  readonly key: string;
  readonly transport: Transport;
}

export type LoadRecipe =
  | { readonly column: string; readonly times: number; readonly above?: number }
  | { readonly sum: readonly string[]; readonly times: number };

export interface Meter {
  readonly key: string;
  readonly kind: string;
  /** Id of the model, `<kind>/<vendor>-<model>`: the device table of the same name. */
  readonly template: string;
  readonly bus: string;
  readonly unit: number;
  readonly load: LoadRecipe;
  readonly start: number;
}

/** The part of a park file that the simulator plays. */
export interface Park {
  readonly key: string;
  readonly timezone: string;
  readonly buses: readonly Bus[];
  readonly meters: readonly Meter[];
}

interface RawPark {
  key: string;
  site: { timezone: string };
  buildings: { buses: Bus[]; meters: Meter[] }[];
}

/** @throws Error listing every fault of the file, or why it cannot be read. */
export function readPark(path: string): Park {
  return parsePark(readFileSync(path, 'utf8'), path);
}

/** @param name Names the file in errors. */
export function parsePark(text: string, name: string): Park {
  const raw = parse(text) as RawPark;
  const park = {
    key: raw.key,
    timezone: raw.site.timezone,
    buses: raw.buildings.flatMap(({ buses }) => buses),
    meters: raw.buildings.flatMap(({ meters }) => meters),
  };
  const faults = [...busFaults(park.buses), ...meterFaults(park)];
  if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
  return park;
}

function busFaults(buses: readonly Bus[]): string[] {
  return [
    ...repeated(buses.map(({ key }) => key)).map((key) => `bus ${key} is there twice`),
    ...buses.flatMap(({ key, transport }) =>
      transports.includes(transport)
        ? []
        : [`bus ${key}: transport is ${String(transport)}, not one of ${transports.join(', ')}`],
    ),
  ];
}

function meterFaults({ buses, meters }: Park): string[] {
  const keys = new Set(meters.map(({ key }) => key));
  const faults = repeated(meters.map(({ key }) => key)).map((key) => `meter ${key} is there twice`);
  faults.push(
    ...repeated(meters.map(({ bus, unit }) => `${bus} unit ${unit}`)).map(
      (place) => `two meters at ${place}`,
    ),
  );
  for (const { key, bus, unit, load, start } of meters) {
    if (!buses.some((known) => known.key === bus)) faults.push(`meter ${key}: no bus ${bus}`);
    if (!Number.isInteger(unit) || unit < 1 || unit > 247)
      faults.push(`meter ${key}: unit ${unit} is not 1..247`);
    if (!Number.isFinite(start) || start < 0) faults.push(`meter ${key}: start is ${start}`);
    if (!Number.isFinite(load.times)) faults.push(`meter ${key}: load.times is ${load.times}`);
    const parts = 'sum' in load ? load.sum : [];
    for (const part of parts) if (!keys.has(part)) faults.push(`meter ${key}: no meter ${part} to sum`);
  }
  return faults;
}

const repeated = (names: readonly string[]): string[] =>
  names.filter((name, index) => names.indexOf(name) !== index);
