import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** Object types of ASHRAE 135 clause 21, by the short form that controllers print. */
export const objectTypes = { AI: 0, AO: 1, AV: 2, BI: 3, BO: 4, BV: 5 } as const;
export type ObjectType = (typeof objectTypes)[keyof typeof objectTypes];

/** Engineering units of ASHRAE 135 clause 21. */
const unitCodes: Readonly<Record<string, number>> = {
  kilowatts: 48,
  pascals: 53,
  'degrees-celsius': 62,
  'no-units': 95,
  'parts-per-million': 96,
  percent: 98,
  'cubic-meters-per-hour': 135,
};

export const accesses = ['commandable', 'writable', 'read'] as const;
export type Access = (typeof accesses)[number];

/** A trend log that keeps the value of an object. */
export interface BacnetTrend {
  readonly instance: number;
  /** Object id: AI-1. */
  readonly of: string;
  /** A record at each multiple of it since 1970, ms. */
  readonly everyMs: number;
  /** Records it holds before the oldest goes. */
  readonly keep: number;
}

/** Limits beyond which an analog object is in alarm, and tells the recipients of notification class 1. */
export interface BacnetAlarm {
  readonly of: string;
  readonly high: number;
  readonly low: number;
}

/** An object of a controller and the quantity it shows. */
export interface BacnetRow {
  readonly type: ObjectType;
  readonly instance: number;
  readonly name: string;
  readonly description: string;
  readonly quantity: string;
  /** Who may write it: by priority, as it is, or nobody. Inputs: nobody. */
  readonly access: Access;
  /** Analog objects show a number, the others 0 or 1. */
  readonly analog?: {
    readonly units: number;
    /** Change of the value that is worth a notification. */
    readonly increment: number;
    /** Decimals the controller keeps. */
    readonly digits: number;
  };
}

/** How one model of controller speaks BACnet. */
export interface BacnetTable {
  readonly device: string;
  /** Longest message it takes and sends, octets. */
  readonly maxApdu: number;
  readonly segmentation: 'both' | 'none';
  /** Longest answer it can really put together, where that is less than it claims; longer ones it aborts. */
  readonly buffer?: number;
  /** Whether it answers ReadPropertyMultiple and SubscribeCOV. */
  readonly multiple: boolean;
  readonly cov: boolean;
  readonly rows: readonly BacnetRow[];
  readonly trends: readonly BacnetTrend[];
  readonly alarms: readonly BacnetAlarm[];
  /** How far its clock is ahead of UTC, minutes. */
  readonly utcOffsetMin: number;
  /** Whether it takes entries on its recipient lists. */
  readonly recipients: 'open' | 'closed';
}

interface RawTable {
  device: string;
  maxApdu?: number;
  segmentation?: 'both' | 'none';
  multiple?: boolean;
  cov?: boolean;
  objects: {
    id: string;
    name: string;
    description?: string;
    quantity: string;
    units?: string;
    increment?: number;
    digits?: number;
    access?: Access;
  }[];
  trends?: { id: string; of: string; everyS: number; keep?: number }[];
  alarms?: BacnetAlarm[];
  utcOffsetMin?: number;
}

const deviceFolder = join(import.meta.dirname, '../../devices');

/** @param id `<kind>/<vendor>-<model>`. @throws Error naming the file and its faults. */
export function readBacnetTable(id: string, folder = deviceFolder): BacnetTable {
  return parseBacnetTable(readFileSync(join(folder, `${id}.yaml`), 'utf8'), id);
}

/** @param id Names the table in errors. @throws Error with every fault. */
export function parseBacnetTable(text: string, id: string): BacnetTable {
  const raw = parse(text) as RawTable;
  const faults = raw.objects.flatMap((row) => rowFaults(row));
  faults.push(...otherFaults(raw));
  for (const field of ['id', 'name', 'quantity'] as const) {
    const seen = raw.objects.map((row) => row[field]);
    const twice = seen.find((value, index) => seen.indexOf(value) !== index);
    if (twice) faults.push(`${field} ${twice} is there twice`);
  }
  if (faults.length > 0) throw new Error(`device table ${id}: ${faults.join('; ')}`);
  const { device, maxApdu = 1476, segmentation = 'both', multiple = true, cov = true } = raw;
  return {
    ...{ device, maxApdu, segmentation, multiple, cov, recipients: 'open' },
    rows: raw.objects.map(toRow),
    trends: (raw.trends ?? []).map(toTrend),
    alarms: raw.alarms ?? [],
    utcOffsetMin: raw.utcOffsetMin ?? 0,
  };
}

const typeOf = (id: string): string => id.split('-')[0] ?? '';

function toRow(raw: RawTable['objects'][number]): BacnetRow {
  const { id, name, description = '', quantity, units = 'no-units', increment = 0, digits = 2 } = raw;
  const type = objectTypes[typeOf(id) as keyof typeof objectTypes];
  const access: Access = typeOf(id).endsWith('I') ? 'read' : (raw.access ?? 'commandable');
  const row = { type, instance: Number(id.split('-')[1]), name, description, quantity, access };
  return typeOf(id).startsWith('A')
    ? { ...row, analog: { units: unitCodes[units]!, increment, digits } }
    : row;
}

const toTrend = ({ id, of, everyS, keep = 1_000 }: NonNullable<RawTable['trends']>[number]): BacnetTrend => ({
  ...{ instance: Number(id.split('-')[1]), of, keep },
  everyMs: everyS * 1_000,
});

/** The object id of a row: AI-1. */
export const idOf = ({ type, instance }: Pick<BacnetRow, 'type' | 'instance'>): string =>
  `${Object.entries(objectTypes).find(([, number]) => number === type)![0]}-${instance}`;

function otherFaults({ objects, trends = [], alarms = [] }: RawTable): string[] {
  const ids = new Set(objects.map(({ id }) => id));
  return [
    ...trends.flatMap(({ id, of, everyS }) => [
      ...(/^TL-\d{1,7}$/.test(id) ? [] : [`${id} is no trend log like TL-1`]),
      ...(ids.has(of) ? [] : [`${id}: no object ${of}`]),
      ...(everyS > 0 ? [] : [`${id}: every ${everyS} s`]),
    ]),
    ...alarms.flatMap(({ of, high, low }) => [
      ...(ids.has(of) && of.startsWith('A') ? [] : [`alarm: no analog object ${of}`]),
      ...(high > low ? [] : [`alarm of ${of}: ${low} to ${high}`]),
    ]),
  ];
}

function rowFaults({ id, units, increment = 0, digits = 0, access }: RawTable['objects'][number]): string[] {
  const faults: string[] = [];
  if (access && !accesses.includes(access)) faults.push(`${id}: no access ${String(access)}`);
  if (!/^(A|B)[IOV]-\d{1,7}$/.test(id)) faults.push(`${id} is no object like AI-1`);
  if (units !== undefined && !(units in unitCodes)) faults.push(`${id}: no units ${units}`);
  if (units !== undefined && id.startsWith('B')) faults.push(`${id}: a binary object has no units`);
  if (!(increment >= 0)) faults.push(`${id}: increment ${increment}`);
  if (!Number.isInteger(digits) || digits < 0 || digits > 6) faults.push(`${id}: digits ${digits}`);
  return faults;
}
