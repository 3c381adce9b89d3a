import {
  type HVal,
  ZincReader,
  valueIsKind,
  Kind,
  type HRef,
  type HNum,
  type HStr,
  type HBool,
  type HDict,
} from 'haystack-core';
import Papa from 'papaparse';
import { fieldOf, isFields, parseJson } from './json.ts';
import { type Fault, quote } from './point.ts';
import { longLine } from './text.ts';

/** A value as far as a point list needs it. */
export type Value =
  | { readonly kind: 'marker' }
  | { readonly kind: 'ref'; readonly id: string; readonly dis: string | null }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'other' };

/** One dict of the file; `row` is a line of zinc, csv and trio, the number of the dict in JSON. */
export interface Entity {
  readonly row: number;
  readonly tags: ReadonlyMap<string, Value>;
}

export interface Entities {
  readonly entities: readonly Entity[];
  readonly faults: readonly Fault[];
}

const marker: Value = { kind: 'marker' };
const other: Value = { kind: 'other' };
const textValue = (text: string): Value => ({ kind: 'text', text });

/** Reads a Haystack model as JSON (version 3 or Hayson), zinc, trio or CSV; the text says which it is. */
export function readEntities(text: string): Entities {
  const start = text.trimStart();
  if (start.startsWith('{') || start.startsWith('[')) return readJson(text);
  const long = longLine(text);
  if (long) return { entities: [], faults: [long] };
  if (start.startsWith('ver:')) return text.includes('<<') ? readNested(text) : readZinc(text);
  const first = start.split('\n', 1)[0] ?? '';
  if (/^("?[a-z][A-Za-z0-9_]*"?)(,"?[a-zA-Z0-9_ ]*"?)+$/.test(first.trim())) return readCsv(text);
  return readTrio(text);
}

const only = (row: number, field: string, message: string): Entities => ({
  entities: [],
  faults: [{ row, field, message }],
});

function readJson(text: string): Entities {
  const read = parseJson(text);
  if ('fault' in read) return { entities: [], faults: [read.fault] };
  const { value } = read;
  const rows = isFields(value) ? (fieldOf(value, 'rows') ?? [value]) : value;
  if (!Array.isArray(rows)) return only(1, 'rows', 'is not a list of records');
  const entities: Entity[] = [];
  const faults: Fault[] = [];
  rows.forEach((entry: unknown, at) => {
    if (!isFields(entry))
      faults.push({ row: at + 1, field: 'row', message: 'is not a record: { "id": ..., ... }' });
    else {
      const tags = Object.entries(entry).map(([name, tag]) => [name, ofJson(tag)] as const);
      entities.push({
        row: at + 1,
        tags: new Map(tags.filter(([, tag]) => tag !== undefined)) as Map<string, Value>,
      });
    }
  });
  return { entities, faults };
}

/** Hayson's `{_kind}` objects, version 3's letter and colon, and plain JSON. */
function ofJson(value: unknown): Value | undefined {
  if (typeof value === 'number') return { kind: 'number', value };
  if (typeof value === 'boolean') return { kind: 'bool', value };
  if (typeof value === 'string') return ofLetter(value);
  if (value === null) return undefined;
  if (!isFields(value)) return other;
  const kind = String(fieldOf(value, '_kind') ?? '').toLowerCase();
  const val = fieldOf(value, 'val');
  if (kind === 'marker') return marker;
  if (kind === 'ref' && typeof val === 'string') {
    const dis = fieldOf(value, 'dis');
    return { kind: 'ref', id: val.replace(/^@/, ''), dis: typeof dis === 'string' ? dis : null };
  }
  if ((kind === 'number' || kind === 'num') && typeof val === 'number') return { kind: 'number', value: val };
  if (kind === 'str' && typeof val === 'string') return textValue(val);
  return other;
}

function ofLetter(text: string): Value {
  if (!/^[a-z-]:/.test(text)) return textValue(text);
  const rest = text.slice(2);
  if (text.startsWith('m:')) return marker;
  if (text.startsWith('s:')) return textValue(rest);
  if (text.startsWith('b:')) return { kind: 'bool', value: rest === 'true' };
  if (text.startsWith('n:')) return { kind: 'number', value: Number(rest.split(' ', 1)[0]) };
  if (text.startsWith('r:')) return refOf(rest);
  return /^[a-z-]:/.test(text) && 'udhtcxz-'.includes(text[0]!) ? other : textValue(text);
}

/** `id dis words`. */
function refOf(text: string): Value {
  const [, id = '', dis] = /^@?(\S*)(?:\s+([^]*))?$/.exec(text) ?? [];
  return { kind: 'ref', id, dis: dis?.replace(/^"([^]*)"$/, '$1') ?? null };
}

/** A value in zinc. @throws Error where the text is none. */
function ofZinc(text: string): Value | undefined {
  if (text === 'M' || text === '✓') return marker;
  if (text === 'N') return undefined;
  return ofHaystack(ZincReader.readValue(text));
}

function ofHaystack(value: HVal | undefined | null): Value | undefined {
  if (!value) return undefined;
  if (valueIsKind<HStr>(value, Kind.Str)) return textValue(value.value);
  if (valueIsKind<HRef>(value, Kind.Ref)) {
    return { kind: 'ref', id: value.value, dis: value.displayName || null };
  }
  if (valueIsKind<HNum>(value, Kind.Number)) return { kind: 'number', value: value.value };
  if (valueIsKind<HBool>(value, Kind.Bool)) return { kind: 'bool', value: value.value };
  return valueIsKind(value, Kind.Marker) ? marker : other;
}

/** Zinc line by line, so that a bad cell costs its own row and no other. */
function readZinc(text: string): Entities {
  const entities: Entity[] = [];
  const faults: Fault[] = [];
  let columns: readonly string[] | undefined;
  for (const [at, line] of text.split('\n').entries()) {
    const row = at + 1;
    if (line.startsWith('ver:')) columns = undefined;
    else if (line.trim() === '') continue;
    else if (columns) {
      const entity = ofLine(row, columns, splitZinc(line), faults);
      if (entity) entities.push(entity);
    } else {
      columns = splitZinc(line).map((cell) => /^\s*([A-Za-z_]\w*)/.exec(cell)?.[1] ?? '');
      const bad = columns.findIndex((name, place) => name === '' || columns!.indexOf(name) !== place);
      if (bad < 0) continue;
      const field = columns[bad] || `column ${bad + 1}`;
      faults.push({
        row,
        field,
        message: 'is no name of a column, or is there twice; no row below can be read',
      });
      return { entities, faults };
    }
  }
  return { entities, faults };
}

function ofLine(
  row: number,
  columns: readonly string[],
  cells: readonly string[],
  faults: Fault[],
): Entity | undefined {
  if (cells.length > columns.length) {
    faults.push({
      row,
      field: 'row',
      message: `has ${cells.length} cells, and the columns are ${columns.length}`,
    });
    return undefined;
  }
  const tags = new Map<string, Value>();
  let isSound = true;
  cells.forEach((cell, place) => {
    const text = cell.trim();
    if (text === '') return;
    try {
      const value = ofZinc(text);
      if (value) tags.set(columns[place]!, value);
    } catch {
      isSound = false;
      faults.push({
        row,
        field: columns[place]!,
        message: `${quote(text)} is no zinc value; a text stands in quotes`,
      });
    }
  });
  return isSound ? { row, tags } : undefined;
}

/** Splits at commas outside of quotes and brackets. */
function splitZinc(line: string): string[] {
  const cells: string[] = [];
  let start = 0;
  let depth = 0;
  let quoted = '';
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at]!;
    if (quoted !== '') {
      if (char === '\\') at += 1;
      else if (char === quoted) quoted = '';
    } else if (char === '"' || char === '`') quoted = char;
    else if ('[{('.includes(char)) depth += 1;
    else if (']})'.includes(char)) depth -= 1;
    else if (char === ',' && depth <= 0) {
      cells.push(line.slice(start, at));
      start = at + 1;
    }
  }
  cells.push(line.slice(start));
  return cells;
}

/** A grid with grids in its cells spans lines: it is read as a whole, and rows count from its columns. */
function readNested(text: string): Entities {
  try {
    const grid = ZincReader.readValue(text) as unknown as { getRows(): HDict[] };
    return {
      faults: [],
      entities: grid.getRows().map((dict, at) => ({
        row: at + 3,
        tags: new Map(
          dict.keys.flatMap((name) => {
            const value = ofHaystack(dict.get(name));
            return value ? [[name, value] as const] : [];
          }),
        ),
      })),
    };
  } catch (cause) {
    return only(1, 'zinc', `is no zinc grid: ${quote((cause as Error).message).slice(1, -1)}`);
  }
}

function readCsv(text: string): Entities {
  const { data, errors } = Papa.parse<string[]>(text, { delimiter: ',', newline: '\n' });
  const columns = (data[0] ?? []).map((name) => name.trim());
  const faults: Fault[] = [];
  columns.forEach((name, place) => {
    if (columns.indexOf(name) !== place)
      faults.push({ row: 1, field: name, message: 'is the name of two columns' });
  });
  const broken = new Set<number>();
  for (const { row = 0, type } of errors) {
    if (type !== 'Quotes') continue;
    broken.add(row);
    faults.push({
      row: row + 1,
      field: 'row',
      message: 'a quote (") is opened or closed in the wrong place',
    });
  }
  if (faults.some(({ row }) => row === 1)) return { entities: [], faults };
  const entities = data.flatMap((cells, at): Entity[] => {
    if (at === 0 || broken.has(at) || cells.every((cell) => cell.trim() === '')) return [];
    const tags = new Map<string, Value>();
    columns.forEach((name, place) => {
      const cell = cells[place]?.trim() ?? '';
      if (name !== '' && cell !== '') tags.set(name, ofCsv(cell));
    });
    return [{ row: at + 1, tags }];
  });
  return { entities, faults };
}

/** CSV has lost the kinds: a tick is a marker, @ begins a ref, a number is one where a number is asked for. */
function ofCsv(cell: string): Value {
  if (cell === '✓' || cell === 'M') return marker;
  return cell.startsWith('@') ? refOf(cell) : textValue(cell);
}

/** Trio: dicts of `name: value` lines, parted by lines of dashes. */
function readTrio(text: string): Entities {
  const entities: Entity[] = [];
  const faults: Fault[] = [];
  let tags = new Map<string, Value>();
  let first = 0;
  let isSound = true;
  const flush = (): void => {
    if (tags.size > 0 && isSound) entities.push({ row: first, tags });
    tags = new Map();
    isSound = true;
  };
  const lines = text.split('\n');
  for (let at = 0; at < lines.length && faults.length < 1_000; at += 1) {
    const line = lines[at]!;
    if (/^-+\s*$/.test(line)) flush();
    else if (line.trim() !== '' && !line.startsWith('//')) {
      const [, name, colon, rest = ''] = /^([A-Za-z_]\w{0,99})(?:(:)\s*([^]*?))?\s*$/.exec(line) ?? [];
      if (tags.size === 0) first = at + 1;
      if (name === undefined) {
        isSound = false;
        faults.push({
          row: at + 1,
          field: 'tag',
          message: `${quote(line.trim())} is not "name" or "name: value"`,
        });
        continue;
      }
      const value = colon === undefined ? marker : rest === '' ? other : ofTrio(rest);
      // A value of several lines is indented below its name.
      while (colon !== undefined && rest === '' && /^\s+\S/.test(lines[at + 1] ?? '')) at += 1;
      if (value) tags.set(name, value);
    }
  }
  flush();
  return { entities, faults };
}

/** In trio a text needs no quotes: whatever is no zinc value is one. */
function ofTrio(text: string): Value | undefined {
  if (text === '✓') return marker;
  if (text === 'true' || text === 'false') return { kind: 'bool', value: text === 'true' };
  try {
    return ofZinc(text);
  } catch {
    return textValue(text); // "Invalid character" is how a plain text looks to zinc.
  }
}
