import Papa from 'papaparse';
import { type Fault, quote } from './point.ts';

/** Longest text in one cell, characters. */
const MAX_CELL = 4_000;
/** Rows that may stand before the heading. */
const MAX_PREAMBLE = 100;

/** Names that a column may have, simplified by {@link simplify}. The first is shown in messages as `label`. */
export type Columns<C extends string> = Readonly<
  Record<C, { readonly label: string; readonly names: readonly string[] }>
>;

/** One record of a table; `row` counts records from 1, as a spreadsheet does. */
export interface Row<C extends string> {
  readonly row: number;
  /** Trimmed; '' where the column or the cell is missing. */
  cell(column: C): string;
}

export interface Table<C extends string> {
  readonly rows: Iterable<Row<C>>;
  /** Cells before the heading. */
  readonly preamble: readonly (readonly string[])[];
  readonly has: (column: C) => boolean;
  /** Decimals may be written with a comma. */
  readonly decimalComma: boolean;
  /** Faults of the file's form: columns that are there twice, quotes that never end. */
  readonly faults: readonly Fault[];
}

/** Lower case letters, digits and Chinese only: "device obj.-instance" is `deviceobjinstance`. */
export const simplify = (name: string): string => name.toLowerCase().replace(/[^a-z0-9\u4e00-\u9fff]/g, '');

/**
 * Finds the heading and the delimiter together: the pair that knows the most columns wins.
 * @param required Columns without which a row is no heading.
 * @returns undefined when no row of the first hundred is a heading.
 */
export function readTable<C extends string>(
  text: string,
  columns: Columns<C>,
  required: readonly NoInfer<C>[],
): Table<C> | undefined {
  const byName = new Map<string, C>();
  for (const column of Object.keys(columns) as C[]) {
    for (const name of columns[column].names) byName.set(name, column);
  }
  const heading = findHeading(text, byName, required);
  if (!heading) return undefined;
  const { data, errors } = Papa.parse<string[]>(text, { delimiter: heading.delimiter, newline: '\n' });
  const { at, places, repeated } = heading;
  const faults: Fault[] = repeated.map((column) => ({
    row: at + 1,
    field: columns[column].label,
    message: `two columns are called ${columns[column].label}; rename or delete one`,
  }));
  for (const { row, type } of errors) {
    if (type !== 'Quotes') continue;
    faults.push({
      row: (row ?? 0) + 1,
      field: 'row',
      message: 'a quote (") is opened or closed in the wrong place',
    });
  }
  const broken = new Set(faults.map(({ row }) => row));
  return {
    preamble: data.slice(0, at),
    has: (column) => places.has(column),
    decimalComma: heading.delimiter !== ',',
    faults,
    rows: rowsOf(data, at + 1, places, broken),
  };
}

function* rowsOf<C extends string>(
  data: readonly (readonly string[])[],
  from: number,
  places: ReadonlyMap<C, number>,
  broken: ReadonlySet<number>,
): Iterable<Row<C>> {
  for (let at = from; at < data.length; at += 1) {
    const cells = data[at]!;
    const isBlank = cells.every((cell) => cell.trim() === '');
    if (isBlank || cells[0]!.trimStart().startsWith('#') || broken.has(at + 1)) continue;
    yield { row: at + 1, cell: (column) => cells[places.get(column) ?? -1]?.trim() ?? '' };
  }
}

interface Heading<C extends string> {
  readonly delimiter: string;
  readonly at: number;
  readonly places: ReadonlyMap<C, number>;
  readonly repeated: readonly C[];
}

function findHeading<C extends string>(
  text: string,
  byName: ReadonlyMap<string, C>,
  required: readonly C[],
): Heading<C> | undefined {
  let best: Heading<C> | undefined;
  for (const delimiter of [';', ',', '\t', '|']) {
    const { data } = Papa.parse<string[]>(text, { delimiter, newline: '\n', preview: MAX_PREAMBLE });
    data.forEach((cells, at) => {
      const heading = { delimiter, at, ...placesOf(cells, byName) };
      const isComplete = required.every((column) => heading.places.has(column));
      if (isComplete && heading.places.size > (best?.places.size ?? 0)) best = heading;
    });
  }
  return best;
}

function placesOf<C extends string>(
  cells: readonly string[],
  byName: ReadonlyMap<string, C>,
): { places: ReadonlyMap<C, number>; repeated: readonly C[] } {
  const places = new Map<C, number>();
  const repeated = new Set<C>();
  cells.slice(0, 500).forEach((cell, place) => {
    const column = cell.length > 100 ? undefined : byName.get(simplify(cell));
    if (column === undefined) return;
    if (places.has(column)) repeated.add(column);
    else places.set(column, place);
  });
  return { places, repeated: [...repeated] };
}

/** Why a cell's text cannot stand in a point list, or undefined. */
export function textFault(text: string): string | undefined {
  if (text.length > MAX_CELL) return `is ${text.length} characters long, at most ${MAX_CELL} are read`;
  // eslint-disable-next-line no-control-regex -- they are the question
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text))
    return `holds control characters: ${quote(text)}`;
  if (/^=|^[+\-@][^,;]*[(|!]/.test(text)) return `${quote(text)} is a formula; write its value`;
  return undefined;
}

/** Reads a number as people write it: `0.1`, `.001`, `1e-3`, `0,1` where commas do not part cells. */
export function numberOf(text: string, decimalComma = false): number | undefined {
  const plain = decimalComma ? text.replace(/^([+-]?\d*),(\d+)$/, '$1.$2') : text;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? value : undefined;
}

/** A whole number, decimal or 0x hexadecimal, 0..2^32-1. */
export function wholeOf(text: string): number | undefined {
  if (!/^(\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text)) return undefined;
  const value = Number(text);
  return value <= 0xffff_ffff ? value : undefined;
}

const words: ReadonlyMap<string, boolean> = new Map([
  ...['y', 'yes', 'true', '1', 'x', 'j', 'ja', 'on', 'rw', 'w', 'wr', 'readwrite', 'write', '是', '读写'].map(
    (w) => [w, true] as const,
  ),
  ...['', 'n', 'no', 'false', '0', '-', 'nein', 'off', 'r', 'ro', 'read', 'readonly', '否', '只读'].map(
    (w) => [w, false] as const,
  ),
]);

/** Reads yes or no; an empty cell is no. */
export const yesOf = (text: string): boolean | undefined =>
  text.trim() === '-' ? false : words.get(text.toLowerCase().replace(/[\s/_-]/g, ''));
