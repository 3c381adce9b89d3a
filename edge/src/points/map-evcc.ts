import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { type Parameters, renderDefaults } from './go-template.ts';
import { type Fields, fieldOf, isFields, textOf } from './json.ts';
import { type Area, areaOf, type Encoding, formatPlace, type Place, placeFault } from './modbus-address.ts';
import { createCollector, draft, type Parsed, type PointDraft, quote, type SourceFile } from './point.ts';
import { numberOf, wholeOf } from './table.ts';
import { inUnit, isCounted } from './units.ts';

/** Units that the template's readings have by definition. */
const readings: ReadonlyMap<string, string> = new Map([
  ['power', 'W'],
  ['powers', 'W'],
  ['maxacpower', 'W'],
  ['energy', 'kWh'],
  ['returnenergy', 'kWh'],
  ['chargedenergy', 'kWh'],
  ['currents', 'A'],
  ['voltages', 'V'],
  ['soc', '%'],
  ['limitsoc', '%'],
  ['capacity', 'kWh'],
  ['frequency', 'Hz'],
]);

/**
 * Parses an evcc template: every reading that comes from one Modbus register. Branches of the Go template are taken as they
 * are with default parameters. A row is a line of the file.
 */
export function parseEvcc(file: SourceFile, root: YAMLMap, rowAt: (offset: number) => number): Parsed {
  const collector = createCollector();
  const about = root.toJSON() as Fields;
  const source = `modbus ${textOf(about, 'template') || file.name.replace(/\.[^.]*$/, '')}`;
  const render = root.get('render', true);
  if (!isScalar(render) || typeof render.value !== 'string' || !render.range) {
    collector.fault(1, 'render', 'is not a text with the readings of the device');
    return collector.done(source);
  }
  // The block's own first line says "|"; its content begins on the next.
  const base = rowAt(render.range[0]);
  const lines = new LineCounter();
  const text = renderDefaults(render.value.split('\n'), defaultsOf(about)).join('\n');
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false });
  const [error] = document.errors;
  if (error || !isMap(document.contents)) {
    const row = base + (error?.linePos?.[0].line ?? 1);
    const what = error?.message.split('\n')[0]?.replace(/ at line.*$/, '') ?? 'there are no readings';
    collector.fault(row, 'render', `is not YAML once its template is filled in: ${what}`);
    return collector.done(source);
  }
  const found: Register[] = [];
  collect(document.contents, [], 0, found);
  if (found.length === 0) {
    collector.fault(
      base,
      'render',
      'no reading of the template is one Modbus register (source: modbus, register: ...)',
    );
  }
  for (const register of found) {
    const row = base + lines.linePos(register.offset).line;
    const point = readRegister(register, (field, message) => {
      collector.fault(row, field, message);
    });
    if (point) collector.add(row, point, 'register');
  }
  return collector.done(source);
}

/** Default, else the first choice of each parameter. */
function defaultsOf(about: Fields): Parameters {
  const defaults = new Map<string, string>();
  const params = fieldOf(about, 'params');
  for (const param of Array.isArray(params) ? params : []) {
    if (!isFields(param)) continue;
    const choice = fieldOf(param, 'choice');
    const first: unknown = Array.isArray(choice) ? choice[0] : undefined;
    const value = fieldOf(param, 'default') ?? first;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      defaults.set(textOf(param, 'name'), String(value));
    }
  }
  return defaults;
}

interface Register {
  readonly path: readonly string[];
  readonly entry: Fields;
  readonly offset: number;
}

/** Every mapping with `source: modbus` and a register, however deep (a sum, a list of phases). */
function collect(node: unknown, path: readonly string[], depth: number, found: Register[]): void {
  if (depth > 20) return;
  if (isSeq(node)) {
    node.items.forEach((item, at) => {
      collect(item, [...path, String(at + 1)], depth + 1, found);
    });
  } else if (isMap(node)) {
    const register = node.get('register', true);
    if (isMap(register) && register.range) {
      found.push({ path, entry: node.toJSON() as Fields, offset: register.range[0] });
      return;
    }
    for (const { key, value } of node.items) {
      collect(value, [...path, isScalar(key) ? String(key.value) : '?'], depth + 1, found);
    }
  }
}

function readRegister(
  { path, entry }: Register,
  complain: (field: string, message: string) => void,
): PointDraft | undefined {
  let isSound = true;
  const fail = (field: string, message: string): void => {
    isSound = false;
    complain(field, message);
  };
  const register = fieldOf(entry, 'register') as Fields;
  const name = path.join('.');
  const { area, isWritten } = areaAndUse(textOf(register, 'type'), fail);
  const decode = textOf(register, 'decode') || textOf(register, 'encoding');
  const encoding = decodingOf(decode, area, register, fail);
  const start = wholeOf(textOf(register, 'address'));
  if (start === undefined)
    fail('address', `${quote(textOf(register, 'address'))} is not a register number 0..65535`);
  const scaleText = textOf(entry, 'scale');
  const scale = scaleText === '' ? 1 : numberOf(scaleText);
  if (scale === undefined || scale === 0) fail('scale', `${quote(scaleText)} is not a number other than 0`);
  if (!isSound || !area || !encoding || start === undefined) return undefined;
  const place: Place = { area, start, ...encoding };
  const why = placeFault(place);
  if (why) fail('address', why);
  if (!isSound) return undefined;
  const unit = inUnit(
    path.map((part) => readings.get(part.toLowerCase())).find((text) => text) ?? null,
    scale,
  );
  return draft({
    key: name,
    name,
    protocol: 'modbus',
    address: formatPlace(place),
    kind: encoding.encoding === 'bit' ? 'state' : isCounted(unit.unit) && !isWritten ? 'register' : 'gauge',
    ...unit,
    writable: isWritten,
    sentinels: encoding.sentinels,
  });
}

function areaAndUse(
  text: string,
  fail: (field: string, message: string) => void,
): { area: Area | undefined; isWritten: boolean } {
  const kind = text.toLowerCase();
  if (kind === 'writecoil') return { area: 'co', isWritten: true };
  if (/^write(single|multiple|holdings?)$/.test(kind)) return { area: 'hr', isWritten: true };
  const area = areaOf(kind);
  if (!area)
    fail('type', `${quote(text)} is not one of holding, input, coil, writesingle, writemultiple, writecoil`);
  return { area, isWritten: false };
}

/** Raw values that a `...nan` decoding takes for "no measurement". */
const sentinels: Readonly<Record<string, readonly number[]>> = {
  int16: [-0x8000, 0x7fff],
  uint16: [0xffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  uint32: [0xffff_ffff],
};

const decodings: ReadonlyMap<string, Encoding> = new Map([
  ['int16', 'i16'],
  ['uint16', 'u16'],
  ['int32', 'i32'],
  ['uint32', 'u32'],
  ['int64', 'i64'],
  ['uint64', 'u64'],
  ['float32', 'f32'],
  ['ieee754', 'f32'],
  ['float64', 'f64'],
]);

/** `int32s`: low register first; `uint16nan`: all ones mean nothing; `bool16` with a bit mask. */
function decodingOf(
  text: string,
  area: Area | undefined,
  register: Fields,
  fail: (field: string, message: string) => void,
): (Pick<Place, 'encoding' | 'order' | 'bit'> & { sentinels: readonly number[] }) | undefined {
  if (area === 'co' || area === 'di') return { encoding: 'bit', order: 'ABCD', sentinels: [] };
  const lower = text.toLowerCase();
  if (lower === 'bool16') {
    const mask = wholeOf(textOf(register, 'bitmask') || textOf(register, 'bitMask'));
    const bit = mask === undefined ? Number.NaN : Math.log2(mask);
    if (Number.isInteger(bit)) return { encoding: 'bit', order: 'ABCD', bit, sentinels: [] };
    fail('bitmask', 'names no single bit; 0x0001 is the lowest');
    return undefined;
  }
  const [, name = '', swapped, nan] = /^([a-z]+\d+)(s)?(nan)?$/.exec(lower) ?? [];
  const encoding = decodings.get(name);
  if (encoding) {
    return { encoding, order: swapped ? 'CDAB' : 'ABCD', sentinels: nan ? (sentinels[name] ?? []) : [] };
  }
  fail(
    'decode',
    `${quote(text)} is not one of ${[...decodings.keys()].join(', ')}, with s or nan behind, or bool16`,
  );
  return undefined;
}
