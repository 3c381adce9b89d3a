import * as bacnet from './bacnet-names.ts';
import { createCollector, draft, type Parsed, type PointDraft, quote, type SourceFile } from './point.ts';
import {
  type Columns,
  numberOf,
  readTable,
  type Row,
  simplify,
  type Table,
  textFault,
  yesOf,
} from './table.ts';
import { longLine } from './text.ts';
import { inUnit, isCounted, valueInUnit } from './units.ts';

type Column =
  | 'keyname'
  | 'device'
  | 'objectName'
  | 'objectType'
  | 'instance'
  | 'description'
  | 'presentValue'
  | 'min'
  | 'max'
  | 'settable'
  | 'cov'
  | 'hiLimit'
  | 'loLimit'
  | 'states'
  | 'unit'
  | 'vendorAddress'
  | 'notificationClass';

const column = (label: string, ...names: string[]): { label: string; names: string[] } => ({
  label,
  names: [simplify(label), ...names],
});

/** Columns of BIG-EU's Engineering Data Exchange, layouts 2.2 and 2.3, and the spellings in the wild. */
const columns: Columns<Column> = {
  keyname: column('keyname', 'key'),
  device: column(
    'device obj.-instance',
    'deviceobjectinstance',
    'deviceinstance',
    'deviceobjinst',
    'deviceid',
  ),
  objectName: column('object-name', 'objname'),
  objectType: column('object-type', 'objtype'),
  instance: column('object-instance', 'objinstance', 'objectinst'),
  description: column('description', 'objectdescription'),
  presentValue: column('present-value-default', 'presentvalue'),
  min: column('min-present-value', 'minpresentval', 'min'),
  max: column('max-present-value', 'maxpresentval', 'max'),
  settable: column('settable', 'commandable', 'commandablesettable', 'commandsettable', 'commandable'),
  cov: column('supports COV', 'supportcov', 'cov'),
  hiLimit: column('hi-limit', 'highlimit'),
  loLimit: column('low-limit', 'lolimit'),
  states: column('state-text-reference', 'statetextref', 'statetext'),
  unit: column('unit-code', 'unit', 'units', 'unitscode'),
  vendorAddress: column('vendor-specific-address', 'vendorspecificaddres', 'vendoraddress'),
  notificationClass: column('notification-class', 'notifclass'),
};

const mandatory: readonly Column[] = ['keyname', 'device', 'objectName', 'objectType', 'instance'];

/** What the companion files say, by number. */
interface Companions {
  readonly states: ReadonlyMap<number, readonly string[]> | undefined;
  readonly units: ReadonlyMap<number, readonly string[]> | undefined;
  readonly types: ReadonlyMap<number, readonly string[]> | undefined;
}

/** Parses an EDE file; rows of objects that are no points (devices, schedules, logs) are read and left out. */
export function parseEde(file: SourceFile): Parsed {
  const collector = createCollector();
  const long = longLine(file.text);
  if (long) {
    collector.fault(long.row, long.field, long.message);
    return collector.done('ede');
  }
  const table = readTable(file.text, columns, ['objectType', 'instance']);
  if (!table) {
    collector.fault(
      1,
      'header',
      `no row names the columns of an EDE file (${mandatory.map((c) => columns[c].label).join(', ')}), parted by ; , or tab`,
    );
    return collector.done('ede');
  }
  const companions: Companions = {
    states: readCompanion(file.beside('StateTexts')),
    units: readCompanion(file.beside('Units')),
    types: readCompanion(file.beside('ObjTypes') ?? file.beside('ObjectTypes')),
  };
  for (const { row, field, message } of table.faults) collector.fault(row, field, message);
  const missing = mandatory.filter((name) => !table.has(name));
  for (const name of missing) {
    collector.fault(headerRow(table), columns[name].label, `the column ${columns[name].label} is missing`);
  }
  if (missing.length > 0 || table.faults.some(({ field }) => field !== 'row')) return collector.done('ede');
  readRows(table, companions, collector);
  return collector.done('ede');
}

const headerRow = (table: Table<Column>): number => table.preamble.length + 1;

function readRows(
  table: Table<Column>,
  companions: Companions,
  collector: ReturnType<typeof createCollector>,
): void {
  const rows = [...table.rows];
  const devices = new Map<number, string>();
  for (const { cell } of rows) {
    if (bacnet.objectTypeOf(cell('objectType')) === bacnet.DEVICE && /^\d+$/.test(cell('device'))) {
      devices.set(Number(cell('device')), cell('description') || cell('objectName'));
    }
  }
  const objects = new Map<string, number>();
  for (const row of rows) {
    const object = readObject(row, table.decimalComma, companions, (field, message) => {
      collector.fault(row.row, columns[field].label, message);
    });
    if (!object) continue;
    const { device, type, instance, point } = object;
    const name = `${device}/${type}/${instance}`;
    const first = objects.get(name);
    if (first !== undefined) {
      const what = `${bacnet.addressOf(type, instance)} of device ${device}`;
      collector.fault(row.row, columns.instance.label, `${what} is there already in row ${first}`);
      continue;
    }
    objects.set(name, row.row);
    if (!point) continue;
    collector.add(
      row.row,
      { ...point, equipment: devices.get(device) || null },
      columns.keyname.label,
      row.cell('keyname'),
    );
  }
}

type Complain = (field: Column, message: string) => void;

/** An object of a row, its point where it is one; undefined when the row has faults. */
function readObject(
  { cell }: Row<Column>,
  decimalComma: boolean,
  companions: Companions,
  complain: Complain,
): { device: number; type: number; instance: number; point?: PointDraft } | undefined {
  let isSound = true;
  const fail: Complain = (field, message) => {
    isSound = false;
    complain(field, message);
  };
  for (const name of mandatory) if (cell(name) === '') fail(name, 'is empty, and every row needs it');
  for (const name of Object.keys(columns) as Column[]) {
    const why = textFault(cell(name));
    if (why) fail(name, why);
  }
  const device = instanceOf(cell('device'), 'device', fail);
  const instance = instanceOf(cell('instance'), 'instance', fail);
  const type = typeOf(cell('objectType'), companions, fail);
  const [min, max] = limitsOf(cell, decimalComma, fail);
  const settable = yesOf(cell('settable'));
  if (settable === undefined) fail('settable', `${quote(cell('settable'))} is neither Y nor N`);
  const states = statesOf(cell('states'), type, companions, fail);
  if (!isSound) return undefined;
  if (!bacnet.isPointType(type)) return { device, type, instance };
  const unit = unitOf(cell('unit'), companions);
  const kind = bacnet.kindOf(type);
  return {
    device,
    type,
    instance,
    point: draft({
      key: `${device}/${cell('keyname')}`,
      name: cell('objectName'),
      description: cell('description') || null,
      protocol: 'bacnet',
      device,
      address: bacnet.addressOf(type, instance),
      kind: kind === 'gauge' && isCounted(unit.unit) && !settable ? 'register' : kind,
      ...unit,
      writable: settable ?? false,
      min: valueInUnit(unit.sourceUnit, min),
      max: valueInUnit(unit.sourceUnit, max),
      states,
    }),
  };
}

function instanceOf(text: string, field: 'device' | 'instance', fail: Complain): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= bacnet.MAX_INSTANCE) return value;
  if (text !== '') fail(field, `${quote(text)} is not a whole number 0..${bacnet.MAX_INSTANCE}`);
  return 0;
}

function typeOf(text: string, { types }: Companions, fail: Complain): number {
  const type = bacnet.objectTypeOf(text);
  if (type !== undefined && (bacnet.isStandardType(type) || types?.has(type))) return type;
  if (text === '') return 0;
  fail(
    'objectType',
    type !== undefined && type >= bacnet.FIRST_PROPRIETARY
      ? `${type} is a maker's own type, and no _ObjTypes file beside this one names it`
      : `${quote(text)} is not an object type: write its number (0 analog-input, 3 binary-input, ...) or name`,
  );
  return 0;
}

function limitsOf(
  cell: (column: Column) => string,
  decimalComma: boolean,
  fail: Complain,
): [min: number | null, max: number | null] {
  const limit = (field: 'min' | 'max' | 'hiLimit' | 'loLimit'): number | null => {
    if (cell(field) === '') return null;
    const value = numberOf(cell(field), decimalComma);
    if (value === undefined) fail(field, `${quote(cell(field))} is not a number`);
    return value ?? null;
  };
  const [min, max] = [limit('min'), limit('max')];
  limit('hiLimit');
  limit('loLimit');
  if (min !== null && max !== null && min > max) fail('min', `${min} is above the maximum ${max}`);
  return [min, max];
}

/** Texts of the states: a multi-state counts from 1, a binary has inactive 0 and active 1. */
function statesOf(
  text: string,
  type: number,
  { states }: Companions,
  fail: Complain,
): readonly (readonly [number, string])[] {
  if (text === '') return [];
  if (!/^\d{1,9}$/.test(text)) {
    fail('states', `${quote(text)} is not a number of a row of the _StateTexts file`);
    return [];
  }
  if (!states) return [];
  const texts = states.get(Number(text));
  if (!texts) {
    if (Number(text) > 0) fail('states', `${text} is not in the _StateTexts file beside this one`);
    return [];
  }
  const first = bacnet.isBinary(type) ? 0 : 1;
  return texts.flatMap((state, at) => (state === '' ? [] : [[at + first, state] as const]));
}

function unitOf(text: string, { units }: Companions): ReturnType<typeof inUnit> {
  if (text === '') return inUnit(null);
  if (!/^\d{1,5}$/.test(text)) return inUnit(text);
  return inUnit(bacnet.engineeringUnit(Number(text)) ?? units?.get(Number(text))?.[0] ?? `unit ${text}`);
}

/** Reads `number;text;text...` rows of a companion file; whatever does not begin with a number is a heading. */
function readCompanion(text: string | undefined): ReadonlyMap<number, readonly string[]> | undefined {
  if (text === undefined) return undefined;
  const delimiter = [';', '\t', ','].find((sign) => text.includes(sign)) ?? ';';
  const rows = new Map<number, readonly string[]>();
  for (const line of text.split('\n')) {
    const [number = '', ...texts] = line
      .split(delimiter)
      .map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
    if (/^\d{1,9}$/.test(number)) rows.set(Number(number), texts);
  }
  return rows;
}
