import type { Area, DeviceTable, Identity, TableRow } from './device-table.ts';
import type { Quantities } from './models/quantities.ts';
import { formats, rollover, shortestFloat32, toWords } from './words.ts';

/** What a device shows in a range of registers (or coils, 0/1) at one instant. */
export type Shown =
  | {
      readonly ok: true;
      readonly words: readonly number[];
      /** By quantity wholly inside the range: value in its unit as shown, counts for a counter; null for what is no number. */
      readonly values: Record<string, number | null>;
    }
  | { readonly ok: false; readonly exception: 2 | 3 };

export interface Device {
  read(area: Area, address: number, count: number, t: number): Shown;
  /** Stores words (coils) to be shown from then on; absent where the device takes no writes. @returns an exception code, if any. */
  write?(area: 'coil' | 'holding', address: number, words: readonly number[]): 2 | undefined;
  /** Function codes it does not know though others of its kind do. */
  readonly lacks: ReadonlySet<number>;
  readonly identity: Identity | undefined;
}

/** A device of a model, showing a meter's quantities. @throws Error when the model shows a quantity the meter does not have. */
export function createDevice(table: DeviceTable, quantities: Quantities): Device {
  const cells = table.rows.map((row) => createCell(row, quantities));
  const stored = new Map<string, number>();
  const device: Device = {
    lacks: new Set(table.lacks),
    identity: table.identity,
    read(area, address, count, t) {
      const longest = area === 'coil' || area === 'discrete' ? 2_000 : table.longestRead;
      if (count < 1 || count > longest) return { ok: false, exception: 3 };
      const here = cells.filter(({ row }) => row.area === area);
      const end = address + count;
      const first = Math.min(...here.map(({ row }) => row.address));
      const last = Math.max(...here.map(({ row, size }) => row.address + size));
      if (here.length === 0 || address < first || end > last) return { ok: false, exception: 2 };

      const touched = here.filter(({ row, size }) => row.address < end && row.address + size > address);
      const words = new Array<number>(count).fill(0);
      const values: Record<string, number | null> = {};
      let covered = 0;
      for (const { row, size, show } of touched) {
        const { raw, value } = show(t);
        toWords(raw, row.as, row.wordOrder).forEach((word, index) => {
          const at = row.address + index - address;
          if (at < 0 || at >= count) return;
          words[at] = word;
          covered += 1;
        });
        if (row.address >= address && row.address + size <= end) values[row.quantity] = value;
      }
      if (table.holes === 'refuse' && covered < count) return { ok: false, exception: 2 };
      words.forEach((word, at) => {
        words[at] = stored.get(`${area} ${address + at}`) ?? word;
      });
      return { ok: true, words, values };
    },
  };
  if (!table.writable) return device;
  return {
    ...device,
    write(area, address, words) {
      const shown = device.read(area, address, words.length, 0);
      if (!shown.ok) return 2;
      words.forEach((word, at) => stored.set(`${area} ${address + at}`, word));
      return undefined;
    },
  };
}

interface Cell {
  readonly row: TableRow;
  readonly size: number;
  show(t: number): { raw: number | bigint; value: number | null };
}

function createCell(row: TableRow, quantities: Quantities): Cell {
  const size = formats[row.as];
  const { constant } = row;
  if (constant !== undefined) {
    const value = row.as === 'FLOAT32' ? shortestFloat32(Number(constant)) : Number(constant);
    return { row, size, show: () => ({ raw: constant, value: Number.isNaN(value) ? null : value }) };
  }
  const quantity = quantities.get(row.quantity);
  if (!quantity) throw new Error(`${row.quantity}: the meter's model has no such quantity`);
  const show = row.counter ? counterOf(row) : gaugeOf(row);
  return { row, size, show: (t) => show(quantity(t)) };
}

/** Meters cut off what is not yet a whole count; they never round up. */
function counterOf({
  as,
  weight,
  step,
}: TableRow): (value: number) => { raw: number | bigint; value: number } {
  const limit = rollover(as);
  return (value) => {
    const counts = countsOf(value, step);
    if (limit !== undefined) {
      const raw = BigInt(counts) % limit;
      return { raw, value: Number(raw) };
    }
    const raw = shortestFloat32(Number(((counts * step) / weight).toPrecision(15)));
    return { raw, value: Math.round((raw * weight) / step) };
  };
}

/** Whole counts of `step` in `value`, cut off. */
export function countsOf(value: number, step: number): number {
  return Math.floor(Number((value / step).toPrecision(15)));
}

function gaugeOf({ as, weight, digits }: TableRow): (value: number) => { raw: number; value: number } {
  const isFloat = as === 'FLOAT32' || as === 'FLOAT64';
  return (value) => {
    const exact = value / weight;
    const rounded = isFloat ? Number(exact.toFixed(digits ?? 3)) : Math.round(exact);
    const raw = as === 'FLOAT32' ? shortestFloat32(rounded) : rounded;
    return { raw, value: Number((raw * weight).toPrecision(15)) };
  };
}
