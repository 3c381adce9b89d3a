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

/** An object of a controller and the quantity it shows. */
export interface BacnetRow {
  readonly type: ObjectType;
  readonly instance: number;
  readonly name: string;
  readonly description: string;
  readonly quantity: string;
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
  }[];
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
  for (const field of ['id', 'name', 'quantity'] as const) {
    const seen = raw.objects.map((row) => row[field]);
    const twice = seen.find((value, index) => seen.indexOf(value) !== index);
    if (twice) faults.push(`${field} ${twice} is there twice`);
  }
  if (faults.length > 0) throw new Error(`device table ${id}: ${faults.join('; ')}`);
  const { device, maxApdu = 1476, segmentation = 'both', multiple = true, cov = true } = raw;
  return { device, maxApdu, segmentation, multiple, cov, rows: raw.objects.map(toRow) };
}

const typeOf = (id: string): string => id.split('-')[0] ?? '';

function toRow(raw: RawTable['objects'][number]): BacnetRow {
  const { id, name, description = '', quantity, units = 'no-units', increment = 0, digits = 2 } = raw;
  const type = objectTypes[typeOf(id) as keyof typeof objectTypes];
  const row = { type, instance: Number(id.split('-')[1]), name, description, quantity };
  return typeOf(id).startsWith('A')
    ? { ...row, analog: { units: unitCodes[units]!, increment, digits } }
    : row;
}

function rowFaults({ id, units, increment = 0, digits = 0 }: RawTable['objects'][number]): string[] {
  const faults: string[] = [];
  if (!/^(A|B)[IOV]-\d{1,7}$/.test(id)) faults.push(`${id} is no object like AI-1`);
  if (units !== undefined && !(units in unitCodes)) faults.push(`${id}: no units ${units}`);
  if (units !== undefined && id.startsWith('B')) faults.push(`${id}: a binary object has no units`);
  if (!(increment >= 0)) faults.push(`${id}: increment ${increment}`);
  if (!Number.isInteger(digits) || digits < 0 || digits > 6) faults.push(`${id}: digits ${digits}`);
  return faults;
}
