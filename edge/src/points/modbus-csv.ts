import {
  type Area,
  areaOf,
  encodingOf,
  formatPlace,
  isBits,
  missingOf,
  orderOf,
  type Place,
  placeFault,
  typeNames,
} from './modbus-address.ts';
import { createCollector, draft, type Parsed, type PointDraft, quote, type SourceFile } from './point.ts';
import {
  type Columns,
  numberOf,
  readTable,
  type Row,
  simplify,
  type Table,
  textFault,
  wholeOf,
  yesOf,
} from './table.ts';
import { longLine } from './text.ts';
import { inUnit, isCounted, valueInUnit } from './units.ts';

const names = {
  point: ['name', 'pointname', 'pointid', 'label', 'signal', '点名', '点位', '名称'],
  slave_id: [
    'slave',
    'slaveaddress',
    'unitid',
    'unit_id',
    'deviceid',
    'station',
    'stationid',
    '从站',
    '从站地址',
  ],
  register: [
    'registertype',
    'regtype',
    'table',
    'area',
    'function',
    'functioncode',
    'fc',
    'fncode',
    '寄存器类型',
  ],
  address: ['registeraddress', 'addr', 'reg', 'offsetaddress', '地址', '寄存器地址'],
  address_base: ['base', 'addressing'],
  type: ['datatype', 'format', '数据类型'],
  byte_order: ['byteorder', 'wordorder', 'endian', 'endianness', 'order', '字节序'],
  scale: ['factor', 'multiplier', 'gain', '系数', '倍率'],
  offset: ['bias', '偏移'],
  unit: ['units', 'uom', 'unitofmeasurement', 'engineeringunit', '单位'],
  poll_s: ['poll', 'pollseconds', 'interval', 'intervals', 'scaninterval', '周期'],
  writable: ['write', 'writeable', 'rw', 'access', 'readwrite', '可写', '读写'],
  tags: ['tag', 'haystack', '标签'],
  description: ['desc', 'comment', '描述'],
  equipment: ['equip', 'device', 'devicename', '设备'],
  kind: ['pointkind'],
  bit: ['bitnumber', 'bitindex'],
  length: ['count', 'quantity', 'registers', 'size'],
  min: ['minimum', 'writemin'],
  max: ['maximum', 'writemax'],
  brick: ['brickclass'],
} as const;
type Column = keyof typeof names;

const columns = Object.fromEntries(
  Object.entries(names).map(([label, more]) => [
    label,
    { label, names: [simplify(label), ...more.map(simplify)] },
  ]),
) as unknown as Columns<Column>;

type Complain = (field: Column, message: string) => void;
type Cell = Row<Column>['cell'];

/** Parses a register list `point, slave_id, register, address, address_base, type, byte_order, ...`. */
export function parseModbusCsv(file: SourceFile): Parsed {
  const collector = createCollector();
  const long = longLine(file.text);
  if (long) {
    collector.fault(long.row, long.field, long.message);
    return collector.done('modbus');
  }
  const table = readTable(file.text, columns, ['point', 'address']);
  if (!table) {
    const wanted = 'point, slave_id, register, address, address_base, type, byte_order, scale, offset, unit';
    collector.fault(
      1,
      'header',
      `no row names the columns of a register list: ${wanted}, poll_s, writable, tags`,
    );
    return collector.done('modbus');
  }
  for (const { row, field, message } of table.faults) collector.fault(row, field, message);
  if (table.faults.some(({ field }) => field !== 'row')) return collector.done('modbus');
  for (const row of table.rows) {
    const point = readPoint(row, table, (field, message) => {
      collector.fault(row.row, field, message);
    });
    if (point) collector.add(row.row, point, 'point', point.name);
  }
  return collector.done('modbus');
}

function readPoint({ cell }: Row<Column>, table: Table<Column>, complain: Complain): PointDraft | undefined {
  let isSound = true;
  const fail: Complain = (field, message) => {
    isSound = false;
    complain(field, message);
  };
  if (cell('point') === '') fail('point', 'is empty, and every row needs it');
  for (const name of Object.keys(names) as Column[]) {
    const why = textFault(cell(name));
    if (why) fail(name, why);
  }
  const slave = slaveOf(cell, table, fail);
  const place = placeOf(cell, fail);
  const number = (field: Column, fallback: number | null): number | null => {
    if (cell(field) === '') return fallback;
    const value = numberOf(cell(field), table.decimalComma);
    if (value === undefined) fail(field, `${quote(cell(field))} is not a number`);
    return value ?? fallback;
  };
  const unit = inUnit(cell('unit') || null, number('scale', 1) ?? 1, number('offset', 0) ?? 0);
  if (unit.scale === 0) fail('scale', 'is 0, which turns every value into 0');
  const [min, max] = [number('min', null), number('max', null)];
  if (min !== null && max !== null && min > max) fail('min', `${min} is above the maximum ${max}`);
  const pollMs = pollOf(number('poll_s', null), fail);
  const writable = writableOf(cell, place, fail);
  const kind = kindOf(cell, place, unit.unit, fail);
  if (!isSound || !place) return undefined;
  const missing = missingOf(place) ?? null;
  return draft({
    key: slave === null ? cell('point') : `${slave}/${cell('point')}`,
    name: cell('point'),
    description: cell('description') || null,
    equipment: cell('equipment') || null,
    protocol: 'modbus',
    device: slave,
    address: missing === null ? formatPlace(place) : null,
    kind,
    ...unit,
    pollMs,
    writable,
    min: valueInUnit(unit.sourceUnit, min),
    max: valueInUnit(unit.sourceUnit, max),
    tags: cell('tags')
      .split(/[\s,;|]+/)
      .filter((tag) => tag !== ''),
    brick: cell('brick').replace(/^brick:/, '') || null,
    note: missing,
  });
}

/** Unit id of the row; null where the file has no such column: a map of a model, which has no place on a bus. */
function slaveOf(cell: Cell, table: Table<Column>, fail: Complain): number | null {
  if (!table.has('slave_id')) return null;
  const slave = wholeOf(cell('slave_id'));
  if (slave !== undefined && slave >= 1 && slave <= 255) return slave;
  fail(
    'slave_id',
    cell('slave_id') === ''
      ? 'is empty, and every row needs it'
      : `${quote(cell('slave_id'))} is not a unit id 1..255`,
  );
  return null;
}

function placeOf(cell: Cell, fail: Complain): Place | undefined {
  let isSound = true;
  const complain: Complain = (field, message) => {
    isSound = false;
    fail(field, message);
  };
  const { start, area, bit: dotted } = startOf(cell, complain);
  const type = typeOf(cell, area, complain);
  const order = orderOf(cell('byte_order'));
  if (!order) complain('byte_order', `${quote(cell('byte_order'))} is not one of ABCD, CDAB, BADC, DCBA`);
  const bit = cell('bit') === '' ? (dotted ?? type?.number) : wholeOf(cell('bit'));
  const length = cell('length') === '' ? type?.number : wholeOf(cell('length'));
  if (!isSound || !type || !order || !area || start === undefined) return undefined;
  const wide = type.encoding === 'bcd16' && length === 2 ? 'bcd32' : type.encoding;
  const place: Place = { area, start, encoding: wide, order, bit, length };
  const why = placeFault(place);
  if (!why) return place;
  fail(why.startsWith('address') || why.includes('past') ? 'address' : 'type', why);
  return undefined;
}

const firstDigit: Readonly<Record<string, Area>> = { 0: 'co', 1: 'di', 3: 'ir', 4: 'hr' };
const digitOf: Readonly<Record<Area, number>> = { co: 0, di: 1, ir: 3, hr: 4 };

/** The 0-based start. Base 40001 is the numbering of manuals: the first digit of five or six names the table. */
function startOf(cell: Cell, fail: Complain): { start?: number; area?: Area; bit?: number } {
  const [, whole = '', dot] = /^(0x[0-9a-f]+|\d+)(?:[.:](\d{1,2}))?$/i.exec(cell('address')) ?? [];
  const given = wholeOf(whole);
  const base = cell('address_base') === '' ? '0' : cell('address_base');
  const area = cell('register') === '' ? undefined : areaOf(cell('register'));
  if (given === undefined) {
    fail(
      'address',
      cell('address') === ''
        ? 'is empty, and every row needs it'
        : `${quote(cell('address'))} is not a register number`,
    );
  }
  if (cell('register') !== '' && !area) {
    fail('register', `${quote(cell('register'))} is not one of coil, discrete, input, holding`);
  } else if (!area && !isManual(base)) fail('register', 'is empty; write coil, discrete, input or holding');
  if (base !== '0' && base !== '1' && !isManual(base)) {
    fail('address_base', `${quote(base)} is not one of 0, 1, 40001`);
    return { ...(area && { area }) };
  }
  if (given === undefined) return { ...(area && { area }) };
  const at = isManual(base)
    ? fromManual(whole, area, fail)
    : { start: given - Number(base), ...(area && { area }) };
  if (at.start !== undefined && (at.start < 0 || at.start > 0xffff)) {
    fail('address', `${given} counted from ${base} is not a register 0..65535`);
    return { ...(area && { area }) };
  }
  return { ...at, ...(dot !== undefined && { bit: Number(dot) }) };
}

const isManual = (base: string): boolean => /^[0134]?0{3,4}1$/.test(base) && base !== '1';

function fromManual(digits: string, area: Area | undefined, fail: Complain): { start?: number; area?: Area } {
  const long = digits.length === 6;
  const padded = digits.padStart(5, '0');
  const named = firstDigit[padded[0]!];
  const number = Number(padded.slice(1));
  if (!named || padded.length > 6 || number === 0) {
    fail('address', `${digits} is not in the numbering of manuals: 00001, 10001, 30001, 40001 and up`);
    return {};
  }
  if (area && area !== named) {
    const first = `${digitOf[area]}${long ? '00001' : '0001'}`;
    fail('address', `${digits} is not in the table of the register column, which begins at ${first}`);
    return {};
  }
  return { start: number - 1, area: named };
}

function typeOf(cell: Cell, area: Area | undefined, fail: Complain): ReturnType<typeof encodingOf> {
  const text = cell('type');
  if (text === '' && area && isBits(area)) return { encoding: 'bit' };
  const type = encodingOf(text);
  if (!type)
    fail(
      'type',
      text === '' ? `is empty; write one of ${typeNames}` : `${quote(text)} is not one of ${typeNames}`,
    );
  return type;
}

function pollOf(seconds: number | null, fail: Complain): number | null {
  if (seconds === null) return null;
  if (seconds >= 0.1 && seconds <= 86_400) return Math.round(seconds * 1_000);
  fail('poll_s', `${seconds} is not 0.1..86400 seconds`);
  return null;
}

function writableOf(cell: Cell, place: Place | undefined, fail: Complain): boolean {
  const writable = yesOf(cell('writable'));
  if (writable === undefined) fail('writable', `${quote(cell('writable'))} is neither yes nor no`);
  if (writable && (place?.area === 'di' || place?.area === 'ir')) {
    fail('writable', 'discrete inputs and input registers can only be read');
  }
  return writable ?? false;
}

function kindOf(
  cell: Cell,
  place: Place | undefined,
  unit: PointDraft['unit'],
  fail: Complain,
): PointDraft['kind'] {
  const told = cell('kind').toLowerCase();
  if (told === 'gauge' || told === 'register' || told === 'state') return told;
  if (told !== '') fail('kind', `${quote(told)} is not one of gauge, register, state`);
  if (place?.encoding === 'bit') return 'state';
  if (place?.encoding === 'str') return 'text';
  return isCounted(unit) && yesOf(cell('writable')) !== true ? 'register' : 'gauge';
}
