import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Format, formats, type WordOrder, wordOrders } from './words.ts';

export const areas = ['coil', 'discrete', 'holding', 'input'] as const;
export type Area = (typeof areas)[number];

/** One quantity of a maker's table, at its address on the wire. */
export interface TableRow {
  readonly quantity: string;
  readonly area: Area;
  /** 0-based. */
  readonly address: number;
  readonly as: Format;
  readonly wordOrder: WordOrder;
  /** Unit of the quantity per raw digit. */
  readonly weight: number;
  /** Decimals of the raw value that a float shows. */
  readonly digits?: number;
  readonly counter: boolean;
  /** Unit of the quantity per count of a counter; `weight` where the raw value counts it. */
  readonly step: number;
  /** A value that never changes, in place of a model's. */
  readonly constant?: number | bigint;
}

/** What a device says it is, function 43 / 14 of Modbus. */
export interface Identity {
  readonly vendor?: string;
  readonly product?: string;
  readonly revision?: string;
  readonly url?: string;
  readonly productName?: string;
  readonly model?: string;
  readonly application?: string;
}

/** How one model of device speaks Modbus. */
export interface DeviceTable {
  readonly device: string;
  /** What a read over unlisted registers gets: zeros, or exception 2. */
  readonly holes: 'zero' | 'refuse';
  /** Registers in one request at most; more is exception 3. */
  readonly longestRead: number;
  /** Takes writes wherever it can be read. */
  readonly writable: boolean;
  /** Function codes it does not know. */
  readonly lacks: readonly number[];
  readonly identity: Identity | undefined;
  readonly rows: readonly TableRow[];
}

interface RawRow {
  no: number;
  as: Format;
  quantity: string;
  weight: number;
  digits?: number;
  counter?: boolean;
  step?: number;
  constant?: number | string;
  area?: Area;
  wordOrder?: WordOrder;
}

interface RawTable {
  device: string;
  numbering: 0 | 1;
  area: Area;
  wordOrder: WordOrder;
  holes: 'zero' | 'refuse';
  longestRead: number;
  writable?: boolean;
  lacks?: number[];
  identity?: Identity;
  registers: RawRow[];
}

export const deviceFolder = join(import.meta.dirname, '../devices');

/** @param id `<kind>/<vendor>-<model>`. @throws Error naming the file and its faults. */
export function readDeviceTable(id: string, folder = deviceFolder): DeviceTable {
  return parseDeviceTable(readFileSync(join(folder, `${id}.yaml`), 'utf8'), id);
}

export function parseDeviceTable(text: string, id: string): DeviceTable {
  const raw = parse(text) as RawTable;
  const rows = raw.registers.map((row) => toRow(raw, row));
  const faults = rows.flatMap((row) => rowFaults(row));
  for (const [index, row] of rows.entries()) {
    const other = rows.slice(index + 1).find((later) => overlaps(row, later));
    if (other) faults.push(`${row.quantity} and ${other.quantity} share a register`);
  }
  if (faults.length > 0) throw new Error(`device table ${id}: ${faults.join('; ')}`);
  const { device, holes, longestRead, writable = false, lacks = [], identity } = raw;
  return { device, holes, longestRead, writable, lacks, identity, rows };
}

function toRow(table: RawTable, row: RawRow): TableRow {
  const { no, constant, digits, as, quantity, weight } = row;
  return {
    quantity,
    as,
    weight,
    area: row.area ?? table.area,
    address: no - table.numbering,
    wordOrder: row.wordOrder ?? table.wordOrder,
    counter: row.counter ?? false,
    step: row.step ?? weight,
    ...(digits === undefined ? {} : { digits }),
    ...(constant === undefined ? {} : { constant: constantOf(constant) }),
  };
}

/** 64-bit constants are written as text, which YAML's numbers would round. */
function constantOf(text: number | string): number | bigint {
  return typeof text === 'number' || text === 'NaN' ? Number(text) : BigInt(text);
}

function rowFaults({ quantity, as, area, wordOrder, address, weight }: TableRow): string[] {
  const faults: string[] = [];
  if (!(as in formats)) faults.push(`${quantity}: no format ${String(as)}`);
  if (!areas.includes(area)) faults.push(`${quantity}: no area ${String(area)}`);
  if (!wordOrders.includes(wordOrder)) faults.push(`${quantity}: no word order ${String(wordOrder)}`);
  if (!Number.isInteger(address) || address < 0 || address > 65_535)
    faults.push(`${quantity}: address ${address}`);
  if (!(weight > 0)) faults.push(`${quantity}: weight ${weight}`);
  return faults;
}

function overlaps(a: TableRow, b: TableRow): boolean {
  return a.area === b.area && a.address < b.address + formats[b.as] && b.address < a.address + formats[a.as];
}
