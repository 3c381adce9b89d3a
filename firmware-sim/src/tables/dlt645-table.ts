import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { deviceFolder } from '../device-table.ts';
import type { Quantities } from '../models/quantities.ts';
import { packDigits, readColumn, shownCount } from './digits.ts';

interface RawItem {
  /** 'DI3 DI2 DI1 DI0' as the standard prints them. */
  readonly di: string;
  readonly quantity: string;
  /** Format column of the standard. */
  readonly as: string;
  readonly counter?: boolean;
  /** The value of the quantity `of`, and its part in it, for a model that knows only the whole. */
  readonly of?: string;
  readonly share?: number;
  /** Shown for ever. */
  readonly constant?: number;
}

interface RawTable {
  readonly device: string;
  /** Data bytes in one answer at most; the rest follows on request. */
  readonly longestAnswer?: number;
  readonly items: readonly RawItem[];
  /** Data blocks: the items they are made of, in order. */
  readonly blocks?: readonly { readonly di: string; readonly of: readonly string[] }[];
}

export interface Dlt645Table {
  readonly device: string;
  readonly longestAnswer: number;
  readonly items: readonly RawItem[];
  /** Identifiers of what stands under an identifier: itself, or the parts of a block. */
  readonly made: ReadonlyMap<string, readonly RawItem[]>;
}

/** @param id `<kind>/<vendor>-<model>`. @throws Error naming the file and what is wrong with it. */
export function readDlt645Table(id: string, folder = deviceFolder): Dlt645Table {
  const raw = parse(readFileSync(join(folder, `${id}.yaml`), 'utf8')) as RawTable;
  const byId = new Map(raw.items.map((item) => [item.di, item]));
  const made = new Map<string, readonly RawItem[]>(raw.items.map((item) => [item.di, [item]]));
  for (const { di, of } of raw.blocks ?? [])
    made.set(
      di,
      of.map((part) => {
        const item = byId.get(part);
        if (!item) throw new Error(`device table ${id}: block ${di} names ${part}, which is no item`);
        return item;
      }),
    );
  for (const { as } of raw.items) readColumn(as);
  return { device: raw.device, longestAnswer: raw.longestAnswer ?? 200, items: raw.items, made };
}

/** What an item shows at Unix ms `t`: its bytes, and its value (counts for a counter). @throws Error for a quantity the model lacks. */
export function showItem(
  item: RawItem,
  quantities: Quantities,
  t: number,
): { readonly bytes: Buffer; readonly value: number } {
  const column = readColumn(item.as);
  const counter = item.counter ?? false;
  const count = shownCount(valueOf(item, quantities, t), column, counter);
  return {
    bytes: packDigits(count, column.bytes),
    value: counter ? count : Number(`${count}e-${column.digits}`),
  };
}

function valueOf(
  { quantity, of = quantity, share = 1, constant }: RawItem,
  quantities: Quantities,
  t: number,
): number {
  if (constant !== undefined) return constant;
  const read = quantities.get(of);
  if (!read) throw new Error(`${of}: the meter's model has no such quantity`);
  return read(t) * share;
}
