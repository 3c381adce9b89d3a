import { isDeepStrictEqual } from 'node:util';
import type { Sheet } from '../platform/sheets.ts';
import { columnsOf, hasComma, readCell, settled } from './columns.ts';
import type { Cells, Column, Fault, Prepared, RowFault, SheetKind, Values, Wanted } from './kind.ts';

/** What a file would do. With faults it does nothing. */
export interface Plan {
  readonly add: readonly Wanted[];
  readonly change: readonly Wanted[];
  readonly unchanged: number;
  readonly faults: readonly RowFault[];
  /** Of what is stored all the same. */
  readonly warnings: readonly RowFault[];
}

/** Compares a file with what is there. Pure. */
export function planImport({ columns }: SheetKind, prepared: Prepared, sheet: Sheet): Plan {
  const { at, faults: inHeader } = columnsOf(sheet.header, columns);
  // Without its columns every row would be wrong in the same way.
  if (inHeader.length > 0) return nothing(inHeader.map((fault) => ({ ...fault, row: 1 })));
  const key = columns[0]!;
  const decimalComma = usesComma(sheet, at);
  const faults: RowFault[] = [];
  const rows: Wanted[] = [];
  const seen = new Map<string, number>();
  for (const { row, cells: texts } of sheet.rows) {
    const { cells, faults: own } = readCells(at, texts, decimalComma);
    const name = cells[key.name];
    const twice = typeof name === 'string' ? seen.get(name) : undefined;
    if (typeof name === 'string') seen.set(name, row);
    if (typeof name === 'string' && twice !== undefined) own.push(isTwice(key, name, twice));
    const stored = typeof name === 'string' ? prepared.stored.get(name) : undefined;
    // Also of a row that is wrong already: whoever mends the file is told everything at once.
    const values = prepared.read({ ...cells, [key.name]: name ?? '' }, stored, own.length > 0);
    const wrong = new Set(own.map(({ field }) => field));
    if (isFaults(values)) own.push(...values.filter(({ field }) => !wrong.has(field)));
    else if (own.length === 0) rows.push({ row, values, stored });
    faults.push(...own.map((fault) => ({ ...fault, row })));
  }
  const changing = rows.filter(({ values, stored }) => !stored || !isSame(stored.values, values));
  const right = new Set(rows.map(({ row }) => row));
  const amiss = new Set([...seen].filter(([, row]) => !right.has(row)).map(([name]) => name));
  faults.push(...(prepared.check?.(changing, amiss) ?? []));
  return {
    add: changing.filter(({ stored }) => !stored),
    change: changing.filter(({ stored }) => stored),
    unchanged: rows.length - changing.length,
    faults: inOrder(faults),
    warnings: inOrder(prepared.warn?.(rows) ?? []),
  };
}

const inOrder = (faults: readonly RowFault[]): RowFault[] => faults.toSorted((a, b) => a.row - b.row);

const nothing = (faults: readonly RowFault[]): Plan => ({
  ...{ add: [], change: [], unchanged: 0 },
  ...{ faults, warnings: [] },
});

const isFaults = (found: Values | readonly Fault[]): found is readonly Fault[] => Array.isArray(found);

const isTwice = (key: Column, name: string, row: number): Fault => ({
  field: key.name,
  text: { en: `"${name}" is in row ${row} already.`, zh: `“${name}”已在第 ${row} 行出现。` },
});

/** Spreadsheets that write 10,5 part the cells with semicolons; elsewhere a comma in a number is a slip. */
const usesComma = ({ delimiter, rows }: Sheet, at: ReadonlyMap<number, Column>): boolean =>
  delimiter === ';' &&
  rows.some(({ cells }) => [...at].some(([i, { type }]) => type === 'number' && hasComma(cells[i] ?? '')));

function readCells(at: ReadonlyMap<number, Column>, texts: readonly string[], decimalComma: boolean) {
  const cells: Record<string, Cells[string]> = {};
  const faults: Fault[] = [];
  for (const [i, column] of at) {
    const read = readCell(column, texts[i] ?? '', decimalComma);
    if ('fault' in read) faults.push(read.fault);
    else cells[column.name] = read.cell;
  }
  const beyond = texts.findIndex((text, i) => text !== '' && !at.has(i));
  if (beyond >= 0)
    faults.push({
      field: '',
      text: { en: `Cell ${beyond + 1} stands under no column.`, zh: `第 ${beyond + 1} 格没有对应的列。` },
    });
  return { cells: cells as Cells, faults };
}

/** Whether a file that says `b` leaves `a` as it is. */
export const isSame = (a: Values, b: Values): boolean => isDeepStrictEqual(settledAll(a), settledAll(b));

const settledAll = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).map(([name, cell]) => [name, settled(cell)]));
