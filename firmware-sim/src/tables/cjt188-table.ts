import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { deviceFolder } from '../device-table.ts';
import type { Quantities } from '../models/quantities.ts';
import { packDigits, readColumn, shownCount } from './digits.ts';

export interface MeteringRow {
  readonly quantity: string;
  /** Format column of the standard. */
  readonly as: string;
  /** Unit code in hex, where one follows the number. */
  readonly unit?: string;
  /** How many of the shown unit one of the quantity's is: 0.0036 for kWh shown in GJ. */
  readonly times?: number;
  readonly counter?: boolean;
  readonly constant?: number;
}

export interface StatusRow {
  readonly quantity: string;
  /** Lowest bit of ST that it takes. */
  readonly bit: number;
  readonly constant?: number;
}

export interface Cjt188Table {
  readonly device: string;
  /** T in hex. */
  readonly type: string;
  /** Metering data 901F in the order of the telegram, without clock and status. */
  readonly metering: readonly MeteringRow[];
  readonly status: readonly StatusRow[];
  /** It has a valve, which takes this long from one end to the other. */
  readonly valveMs?: number;
}

/** @param id `<kind>/<vendor>-<model>`. @throws Error naming the file and what is wrong with it. */
export function readCjt188Table(id: string, folder = deviceFolder): Cjt188Table {
  const table = parse(readFileSync(join(folder, `${id}.yaml`), 'utf8')) as Cjt188Table;
  for (const { as } of table.metering) readColumn(as);
  if (!/^[0-9A-F]{2}$/.test(table.type)) throw new Error(`device table ${id}: type is ${table.type}`);
  return table;
}

/** What a row shows at Unix ms `t`: its bytes, and its value in the unit of the quantity (counts of the last digit for a counter). */
export function showRow(
  row: MeteringRow,
  quantities: Quantities,
  t: number,
): { readonly bytes: Buffer; readonly value: number } {
  const column = readColumn(row.as);
  const { counter = false, times = 1, unit, constant } = row;
  const value = constant ?? readQuantity(row.quantity, quantities, t);
  const count = shownCount(value * times, column, counter);
  const packed = packDigits(count, column.bytes);
  const shown = counter ? count : Number((Number(`${count}e-${column.digits}`) / times).toPrecision(12));
  return {
    bytes: unit === undefined ? packed : Buffer.concat([packed, Buffer.from(unit, 'hex')]),
    value: shown,
  };
}

function readQuantity(quantity: string, quantities: Quantities, t: number): number {
  const read = quantities.get(quantity);
  if (!read) throw new Error(`${quantity}: the meter's model has no such quantity`);
  return read(t);
}
