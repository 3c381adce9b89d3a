/** Tables of a Modbus device, as addresses write them. */
export type Area = 'co' | 'di' | 'hr' | 'ir';
/** ABCD: as the specification has it; CDAB: low register first; BADC and DCBA also turn each register's bytes. */
export type Order = 'ABCD' | 'CDAB' | 'BADC' | 'DCBA';
export type Encoding =
  'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64' | 'f32' | 'f64' | 'bcd16' | 'bcd32' | 'bit' | 'bits' | 'str';

const sizes: Readonly<Record<Encoding, number>> = {
  u16: 1,
  i16: 1,
  u32: 2,
  i32: 2,
  u64: 4,
  i64: 4,
  f32: 2,
  f64: 4,
  bcd16: 1,
  bcd32: 2,
  bit: 1,
  bits: 1,
  str: 1,
};

/** A place in a device, checked as far as it goes. */
export interface Place {
  readonly area: Area;
  /** 0-based, as on the wire. */
  readonly start: number;
  readonly encoding: Encoding;
  readonly order: Order;
  /** Number of the first bit, 0 = lowest; of a register only. */
  readonly bit?: number | undefined;
  /** How many bits of `bits`. */
  readonly width?: number | undefined;
  /** Registers of a text. */
  readonly length?: number | undefined;
}

export const isBits = (area: Area): boolean => area === 'co' || area === 'di';

/** Why no device can have this place, or undefined. */
export function placeFault({ area, start, encoding, bit, width = 1, length }: Place): string | undefined {
  if (!Number.isInteger(start) || start < 0 || start > 0xffff) return `address ${start} is not 0..65535`;
  if (isBits(area)) return encoding === 'bit' ? undefined : `a coil or contact is a bit, not ${encoding}`;
  if (encoding === 'bit' && bit !== undefined && bit > 15) return `bit ${bit} is not 0..15`;
  if (encoding === 'bits' && (bit ?? 0) + width > 16)
    return `${width} bits from bit ${bit ?? 0} are not within a register`;
  if (encoding === 'str' && length !== undefined && (length < 1 || length > 125))
    return `a text of ${length} registers is not 1..125 long`;
  const count = encoding === 'str' ? (length ?? 1) : sizes[encoding];
  if (start + count > 0x1_0000) return `${encoding} takes ${count} registers and runs past 65535`;
  return undefined;
}

/** What a sound place still lacks before it can be read, or undefined. */
export function missingOf({ area, encoding, bit, length }: Place): string | undefined {
  if (isBits(area)) return undefined;
  if (encoding === 'bit' && bit === undefined) return 'tell which bit of the register, 0..15: bit:3';
  if (encoding === 'str' && length === undefined) return 'tell how many registers the text takes: string:8';
  return undefined;
}

/** The address in the Modbus driver's syntax. */
export function formatPlace({ area, start, encoding, order, bit = 0, width = 1, length }: Place): string {
  if (isBits(area)) return `${area}:${start}`;
  if (encoding === 'bit') return `${area}:${start}:bit:${bit}`;
  if (encoding === 'bits') return `${area}:${start}:bits:${bit}-${bit + width - 1}`;
  if (encoding === 'str') return `${area}:${start}:str:${length ?? 1}${order === 'ABCD' ? '' : `:${order}`}`;
  return `${area}:${start}:${encoding}${order === 'ABCD' ? '' : `:${order}`}`;
}

/** Byte orders in the spellings of the field, simplified to capitals. */
const orders: ReadonlyMap<string, Order> = new Map([
  ...['', 'AB', 'ABCD', 'ABCDEFGH', '1234', '12345678', 'BE', 'BIG', 'BIGENDIAN', 'HIGHFIRST', 'HIFIRST'].map(
    (name) => [name, 'ABCD'] as const,
  ),
  ...['CDAB', 'GHEFCDAB', '3412', '78563412', 'LOWFIRST', 'WORDSWAP', 'WORD', 'LITTLEENDIANBYTESWAP'].map(
    (name) => [name, 'CDAB'] as const,
  ),
  ...['BA', 'BADC', 'BADCFEHG', '2143', '21436587', 'LOFIRST', 'BYTESWAP', 'BYTE', 'BIGENDIANBYTESWAP'].map(
    (name) => [name, 'BADC'] as const,
  ),
  ...['DCBA', 'HGFEDCBA', '4321', '87654321', 'LE', 'LITTLE', 'LITTLEENDIAN', 'WORDBYTE'].map(
    (name) => [name, 'DCBA'] as const,
  ),
]);

/** Reads `ABCD`, `CDAB`, `3412`, `little-endian`, ... An empty text is ABCD. */
export const orderOf = (text: string): Order | undefined =>
  orders.get(text.toUpperCase().replace(/[\s_-]/g, ''));

const areas: ReadonlyMap<string, Area> = new Map([
  ...['coil', 'coils', 'co', 'do', '0x', '1', 'fc1', 'f1', 'readcoils', 'coilstatus', '线圈'].map(
    (name) => [name, 'co'] as const,
  ),
  ...[
    'discrete',
    'discreteinput',
    'discreteinputs',
    'di',
    '1x',
    '2',
    'fc2',
    'f2',
    'contact',
    'inputstatus',
    'readdiscreteinputs',
    '离散输入',
  ].map((name) => [name, 'di'] as const),
  ...[
    'holding',
    'holdingregister',
    'holdingregisters',
    'hr',
    '4x',
    '3',
    'fc3',
    'f3',
    'readholdingregisters',
    '保持寄存器',
  ].map((name) => [name, 'hr'] as const),
  ...[
    'input',
    'inputregister',
    'inputregisters',
    'ir',
    '3x',
    '4',
    'fc4',
    'f4',
    'readinputregisters',
    '输入寄存器',
  ].map((name) => [name, 'ir'] as const),
]);

/** Reads `holding`, `Input Register`, `coil`, `4x`, a read function's number (3 holding, 4 input), ... */
export const areaOf = (text: string): Area | undefined =>
  areas.get(
    text
      .toLowerCase()
      .replace(/[\s_-]/g, '')
      .replace(/^fc?0(\d)$/, 'fc$1')
      .replace(/^0(\d)$/, '$1'),
  );

const encodings: ReadonlyMap<string, Encoding> = new Map([
  ...['uint16', 'u16', 'word', 'ushort', 'unsigned16', 'unsigned', '16bituint', 'enum16', 'bitfield16'].map(
    (name) => [name, 'u16'] as const,
  ),
  ...['int16', 'i16', 's16', 'short', 'sint16', 'signed16', 'signed', 'int', '16bitint'].map(
    (name) => [name, 'i16'] as const,
  ),
  ...['uint32', 'u32', 'dword', 'udint', 'ulong', 'unsigned32'].map((name) => [name, 'u32'] as const),
  ...['int32', 'i32', 's32', 'dint', 'long', 'sint32', 'signed32'].map((name) => [name, 'i32'] as const),
  ...['uint64', 'u64', 'qword', 'ulint', 'unsigned64'].map((name) => [name, 'u64'] as const),
  ...['int64', 'i64', 's64', 'lint', 'sint64', 'signed64'].map((name) => [name, 'i64'] as const),
  ...['float32', 'f32', 'float', 'real', 'single', 'ieee754', 'float32ieee'].map(
    (name) => [name, 'f32'] as const,
  ),
  ...['float64', 'f64', 'double', 'lreal', 'float64ieee'].map((name) => [name, 'f64'] as const),
  ...['bcd', 'bcd16'].map((name) => [name, 'bcd16'] as const),
  ['bcd32', 'bcd32'],
  ...['bit', 'bool', 'boolean'].map((name) => [name, 'bit'] as const),
  ...['string', 'str', 'text', 'ascii'].map((name) => [name, 'str'] as const),
]);

/** Reads a type; a bit's number or a text's length may follow: `bit:3`, `string[8]`. */
export function encodingOf(text: string): { encoding: Encoding; number?: number } | undefined {
  const plain = text.toLowerCase().replace(/[\s_-]/g, '');
  const whole = encodings.get(plain);
  if (whole) return { encoding: whole };
  const [, name = '', number] = /^(bit|bool|string|str|text|ascii)[:.[(]?(\d{1,4})[\])]?$/.exec(plain) ?? [];
  const encoding = encodings.get(name);
  return encoding && { encoding, number: Number(number) };
}

/** Names of the types for a message. */
export const typeNames =
  'uint16, int16, uint32, int32, uint64, int64, float32, float64, bcd16, bcd32, bit, string';
