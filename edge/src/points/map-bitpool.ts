import {
  type Area,
  type Encoding,
  formatPlace,
  type Order,
  orderOf,
  areaOf,
  placeFault,
} from './modbus-address.ts';
import { isFields, textOf, type Fields } from './json.ts';
import { createCollector, draft, type Parsed, type PointDraft, quote, type SourceFile } from './point.ts';
import { numberOf, textFault, wholeOf } from './table.ts';
import { conversionOf, inUnit, isCounted, tidy } from './units.ts';

/** Unit of a quantity before its prefix: `POWER_ACTIVE_P` counts watts. */
const quantities: Readonly<Record<string, string>> = {
  VOLTAGE_V: 'V',
  CURRENT_A: 'A',
  FREQUENCY_HZ: 'Hz',
  POWER_ACTIVE_P: 'W',
  POWER_REACTIVE_Q: 'var',
  POWER_APPARENT_S: 'VA',
  ENERGY_ACTIVE_P: 'Wh',
  ENERGY_REACTIVE_Q: 'varh',
  ENERGY_APPARENT_S: 'VAh',
  POWER_FACTOR: '1',
  VOLTAGE_PHASE_SEQ: '1',
  TEMPERATURE_C: '°C',
  TEMPERATURE_F: '°F',
  PERCENT: '%',
  VOLUME_M3: 'm³',
};

/** The prefix that a value carries after its multiplier. */
const prefixes: Readonly<Record<string, string>> = {
  '': '',
  NONE: '',
  MILLI: 'm',
  KILO: 'k',
  MEGA: 'M',
  GIGA: 'G',
};

type Complain = (field: string, message: string) => void;

/**
 * Parses a table of registers in JSON: `address`, `fnCode`, `format` (32BIT_INT_3412: low word first), `multiplier`, then
 * `scale` (the prefix of the result), `uom`, `name`. A row is the number of the register in the list.
 */
export function parseBitpool(file: SourceFile, list: readonly unknown[]): Parsed {
  const collector = createCollector();
  list.forEach((entry, at) => {
    const row = at + 1;
    if (!isFields(entry)) {
      collector.fault(row, 'register', 'is not an object with address, fnCode, format and name');
      return;
    }
    const point = readRegister(entry, (field, message) => {
      collector.fault(row, field, message);
    });
    if (point) collector.add(row, point, 'name');
  });
  return collector.done(`modbus ${file.name.replace(/\.[^.]*$/, '')}`);
}

function readRegister(entry: Fields, complain: Complain): PointDraft | undefined {
  let isSound = true;
  const fail: Complain = (field, message) => {
    isSound = false;
    complain(field, message);
  };
  const name = textOf(entry, 'name');
  const why = name === '' ? 'is empty, and every register needs it' : textFault(name);
  if (why) fail('name', why);
  const area = functionOf(textOf(entry, 'fnCode'), fail);
  const format = formatOf(textOf(entry, 'format'), area, fail);
  const start = wholeOf(textOf(entry, 'address'));
  if (start === undefined)
    fail('address', `${quote(textOf(entry, 'address'))} is not a register number 0..65535`);
  const unit = inUnit(unitOf(entry, fail), productOf(textOf(entry, 'multiplier'), fail));
  if (!isSound || !area || !format || start === undefined) return undefined;
  const place = { area, start, ...format };
  const fault = placeFault(place);
  if (fault) fail('address', fault);
  if (!isSound) return undefined;
  return draft({
    key: name,
    name,
    protocol: 'modbus',
    address: formatPlace(place),
    kind: format.encoding === 'bit' ? 'state' : isCounted(unit.unit) ? 'register' : 'gauge',
    ...unit,
  });
}

/** `F3_HOLDING_REGS` -> holding. */
function functionOf(text: string, fail: Complain): Area | undefined {
  const area = areaOf(/^F?C?_?0?([1-4])(?:\D|$)/i.exec(text)?.[1] ?? text);
  if (!area)
    fail('fnCode', `${quote(text)} is not a read function: F1_COILS, F2_..., F3_HOLDING_REGS, F4_INPUT_REGS`);
  return area;
}

/** `32BIT_INT_3412`, `16BIT_UINT_HI_FIRST`: width, kind, and where the bytes stand (1 = highest). */
function formatOf(
  text: string,
  area: Area | undefined,
  fail: Complain,
): { encoding: Encoding; order: Order } | undefined {
  if (area === 'co' || area === 'di') return { encoding: 'bit', order: 'ABCD' };
  const [, width = '', kind = '', bytes = ''] =
    /^(16|32|64)_?BIT_(U?INT|FLOAT|BCD)(?:_(HI_FIRST|LO_FIRST|\d{2,8}))?$/i.exec(text) ?? [];
  const encoding = encodings.get(`${width}${kind.toUpperCase()}`);
  // Of wider numbers "low first" says neither whether it means bytes or words.
  const isVague = width !== '16' && bytes.toUpperCase() === 'LO_FIRST';
  const order = isVague ? undefined : orderOf(bytes === '12' ? 'AB' : bytes === '21' ? 'BA' : bytes);
  if (encoding && order) return { encoding, order };
  fail(
    'format',
    `${quote(text)} is not a format like 16BIT_UINT_HI_FIRST, 32BIT_INT_3412 or 32BIT_FLOAT_1234`,
  );
  return undefined;
}

const encodings: ReadonlyMap<string, Encoding> = new Map([
  ['16UINT', 'u16'],
  ['16INT', 'i16'],
  ['32UINT', 'u32'],
  ['32INT', 'i32'],
  ['64UINT', 'u64'],
  ['64INT', 'i64'],
  ['32FLOAT', 'f32'],
  ['64FLOAT', 'f64'],
  ['16BCD', 'bcd16'],
  ['32BCD', 'bcd32'],
]);

/** A multiplier, or a product or quotient of some: `0.1 * 0.001`, `1/1000`. */
function productOf(text: string, fail: Complain): number {
  if (text === '') return 1;
  const [first = '', ...others] = text.split(/(?=[*/])/);
  const product = others.reduce(
    (result, part) => {
      const factor = numberOf(part.slice(1).trim()) ?? Number.NaN;
      return part.startsWith('/') ? result / factor : result * factor;
    },
    numberOf(first.trim()) ?? Number.NaN,
  );
  if (Number.isFinite(product) && product !== 0) return tidy(product);
  fail('multiplier', `${quote(text)} is not a number or a product of numbers, other than 0`);
  return 1;
}

function unitOf(entry: Fields, fail: Complain): string | null {
  const prefix = textOf(entry, 'scale').toUpperCase();
  if (!Object.hasOwn(prefixes, prefix)) {
    fail('scale', `${quote(prefix)} is not one of NONE, MILLI, KILO, MEGA, GIGA`);
    return null;
  }
  const quantity = textOf(entry, 'uom').toUpperCase();
  if (quantity === '' || quantity === 'NONE') return null;
  const sign = prefixes[prefix]!;
  if (Object.hasOwn(quantities, quantity)) return `${sign}${quantities[quantity]!}`;
  // Most others end in their unit: TEMPERATURE_DEG_C.
  const parts = quantity.split('_');
  const tails = parts.map((_, at) => sign + parts.slice(at).join('_')).filter((tail) => tail.length > 1);
  return tails.find((tail) => conversionOf(tail)) ?? `${sign}${textOf(entry, 'uom')}`;
}
