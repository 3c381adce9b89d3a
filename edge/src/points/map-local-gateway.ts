import { isMap, isScalar, type YAMLMap } from 'yaml';
import { type Fields, fieldOf, isFields, textOf } from './json.ts';
import {
  type Area,
  type Encoding,
  formatPlace,
  isBits,
  type Order,
  orderOf,
  type Place,
  placeFault,
} from './modbus-address.ts';
import { createCollector, draft, type Parsed, type PointDraft, quote } from './point.ts';
import { numberOf, textFault, wholeOf } from './table.ts';
import { inUnit, isCounted, valueInUnit } from './units.ts';

const sections: readonly (readonly [name: string, area: Area, isWritable: boolean])[] = [
  ['read_write_word', 'hr', true],
  ['read_only_word', 'ir', false],
  ['read_write_boolean', 'co', true],
  ['read_only_boolean', 'di', false],
];

type Complain = (field: string, message: string) => void;

/** Parses a device file of the Modbus local gateway integration: sections of named registers by table. A row is a line. */
export function parseLocalGateway(root: YAMLMap, rowAt: (offset: number) => number): Parsed {
  const collector = createCollector();
  const about = root.toJSON() as Fields;
  const device = fieldOf(about, 'device');
  const model = isFields(device) ? `${textOf(device, 'manufacturer')} ${textOf(device, 'model')}`.trim() : '';
  for (const [name, area, isWritable] of sections) {
    const section = root.get(name);
    if (!isMap(section)) continue;
    for (const { key, value } of section.items) {
      const row = isScalar(key) && key.range ? rowAt(key.range[0]) : 0;
      const id = String(isScalar(key) ? key.value : key);
      const entry: unknown = isMap(value) ? value.toJSON() : undefined;
      if (!isFields(entry)) {
        collector.fault(row, id.slice(0, 60), 'is not a register with an address');
        continue;
      }
      const point = readEntry({ id, entry, area, isWritable }, (field, message) => {
        collector.fault(row, field, message);
      });
      if (point) collector.add(row, { ...point, equipment: model || null }, 'name');
    }
  }
  return collector.done(`modbus ${model || 'map'}`);
}

interface Entry {
  readonly id: string;
  readonly entry: Fields;
  readonly area: Area;
  readonly isWritable: boolean;
}

function readEntry({ id, entry, area, isWritable }: Entry, complain: Complain): PointDraft | undefined {
  let isSound = true;
  const fail: Complain = (field, message) => {
    isSound = false;
    complain(field, message);
  };
  const name = textOf(entry, 'name') || id;
  const why = textFault(name) ?? textFault(id);
  if (why) fail('name', why);
  const start = wholeOf(textOf(entry, 'address'));
  if (start === undefined)
    fail('address', `${quote(textOf(entry, 'address'))} is not a register number 0..65535`);
  const factor = (field: string, fallback: number): number => {
    const text = textOf(entry, field);
    const value = text === '' ? fallback : numberOf(text);
    if (value === undefined) fail(field, `${quote(text)} is not a number`);
    return value ?? fallback;
  };
  const unit = inUnit(
    textOf(entry, 'unit_of_measurement') || null,
    factor('multiplier', 1),
    factor('offset', 0),
  );
  if (unit.scale === 0) fail('multiplier', 'is 0, which turns every value into 0');
  const place = placeOf(entry, area, start ?? 0, fail);
  if (!isSound || !place) return undefined;
  const hindrance = hindranceOf(entry, place.length ?? 1) ?? null;
  const control = fieldOf(entry, 'control');
  const number = fieldOf(entry, 'number');
  const limit = (name: string): number | null =>
    isFields(number) ? (numberOf(textOf(number, name)) ?? null) : null;
  const states = statesOf(entry);
  return draft({
    key: id,
    name,
    protocol: 'modbus',
    address: hindrance === null ? formatPlace(place) : null,
    kind: kindOf(
      place,
      states.length > 0,
      isCounted(unit.unit) && textOf(entry, 'state_class') !== 'measurement',
    ),
    ...unit,
    pollMs: Math.round(factor('scan_interval', 0) * 1_000) || null,
    writable: isWritable && control !== undefined && control !== 'binary_sensor' && control !== 'sensor',
    min: valueInUnit(unit.sourceUnit, limit('min')),
    max: valueInUnit(unit.sourceUnit, limit('max')),
    sentinels: sentinelsOf(entry),
    states,
    note: hindrance,
  });
}

const kindOf = ({ encoding }: Place, hasStates: boolean, isMeter: boolean): PointDraft['kind'] =>
  encoding === 'str' ? 'text' : encoding === 'bit' || hasStates ? 'state' : isMeter ? 'register' : 'gauge';

function placeOf(entry: Fields, area: Area, start: number, fail: Complain): Place | undefined {
  const size = textOf(entry, 'size') === '' ? 1 : wholeOf(textOf(entry, 'size'));
  const order = orderOf(textOf(entry, 'swap'));
  if (!order) fail('swap', `${quote(textOf(entry, 'swap'))} is not one of byte, word, word_byte`);
  if (size === undefined || size < 1 || size > 125) {
    fail('size', `${quote(textOf(entry, 'size'))} is not a number of registers 1..125`);
    return undefined;
  }
  const encoding = encodingOf(entry, area, size, fail);
  if (!encoding || !order) return undefined;
  const place: Place = { area, start, order, length: size, ...encoding };
  const why = placeFault(place);
  if (!why) return place;
  fail('address', why);
  return undefined;
}

function encodingOf(
  entry: Fields,
  area: Area,
  size: number,
  fail: Complain,
): (Partial<Place> & Pick<Place, 'encoding'>) | undefined {
  const isOn = (field: string): boolean => fieldOf(entry, field) === true;
  if (isBits(area)) return { encoding: 'bit' };
  if (isOn('string')) return { encoding: 'str' };
  const bits = wholeOf(textOf(entry, 'bits'));
  const shift = wholeOf(textOf(entry, 'shift_bits')) ?? 0;
  if (bits === 1 && size === 1) return { encoding: 'bit', bit: shift };
  if ((bits !== undefined || shift > 0) && size === 1 && !isOn('signed')) {
    return { encoding: 'bits', bit: shift, width: bits ?? 16 - shift };
  }
  const sum = sumOf(entry);
  if (sum) return sum;
  const encoding = (isOn('float') ? floats : isOn('signed') ? signed : unsigned).get(size);
  if (!encoding)
    fail('size', `${size} registers make no ${isOn('float') ? 'float' : 'whole number'}; 1, 2 or 4 do`);
  return encoding && { encoding };
}

/** Two registers that add up as high and low word are one number. */
function sumOf(entry: Fields): { encoding: Encoding; order?: Order } | undefined {
  const factors = JSON.stringify(fieldOf(entry, 'sum_scale'));
  if (factors === '[65536,1]') return { encoding: 'u32' };
  return factors === '[1,65536]' ? { encoding: 'u32', order: 'CDAB' } : undefined;
}

/** Why the driver cannot read the entry as one number, though the file is sound. */
function hindranceOf(entry: Fields, size: number): string | undefined {
  const hasBits = fieldOf(entry, 'bits') !== undefined || fieldOf(entry, 'shift_bits') !== undefined;
  if (hasBits && (size !== 1 || fieldOf(entry, 'signed') === true)) {
    return 'bits of more than one register, or with a sign, cannot be read as one number';
  }
  if (fieldOf(entry, 'sum_scale') === undefined || sumOf(entry)) return undefined;
  return 'a sum of scaled registers is no single number; read the registers as points of their own';
}

const floats: ReadonlyMap<number, Encoding> = new Map([[2, 'f32'], [4, 'f64']]); // prettier-ignore
const signed: ReadonlyMap<number, Encoding> = new Map([[1, 'i16'], [2, 'i32'], [4, 'i64']]); // prettier-ignore
const unsigned: ReadonlyMap<number, Encoding> = new Map([[1, 'u16'], [2, 'u32'], [4, 'u64']]); // prettier-ignore

function statesOf(entry: Fields): readonly (readonly [number, string])[] {
  const texts = fieldOf(entry, 'options') ?? fieldOf(entry, 'map');
  if (!isFields(texts)) return [];
  return Object.entries(texts).flatMap(([value, text]) =>
    /^-?\d{1,9}$/.test(value) && typeof text === 'string' ? [[Number(value), text] as const] : [],
  );
}

function sentinelsOf(entry: Fields): readonly number[] {
  const values = fieldOf(entry, 'unavailable_values');
  return Array.isArray(values) ? values.filter((value) => typeof value === 'number') : [];
}
