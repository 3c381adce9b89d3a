import { DriverError } from '@parkline/kit';

/** Types and how many registers each takes. `bit` is one bit of a register, or a coil; `bits` some of one register; `str` as many registers as it names. */
const sizes = {
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
} as const;
export type ValueType = keyof typeof sizes;

/** ABCD: high register first, as the specification has it; CDAB: low register first; BADC and DCBA also turn each register's bytes. */
export const orders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
export type Order = (typeof orders)[number];

const functions = { co: 1, di: 2, hr: 3, ir: 4 } as const;
/** Modbus function codes 1 read coils, 2 read discrete inputs, 3 read holding registers, 4 read input registers. */
export type ReadFunction = (typeof functions)[keyof typeof functions];

/** Where a number lies in a device and how it is written there. */
export interface Address {
  readonly fc: ReadFunction;
  /** 0-based, as on the wire. */
  readonly start: number;
  /** Registers (coils) it takes. */
  readonly count: number;
  readonly type: ValueType;
  readonly order: Order;
  /** 0 = lowest; only for type `bit` and `bits` of a register. */
  readonly bit: number;
  /** How many bits from `bit` on; only for type `bits`. */
  readonly width?: number;
  /** A device that cannot write single bits may be written the whole register after reading it; only for `bit` and `bits`. */
  readonly mayRewrite?: true;
}

/** Registers of a text: what one request reads. */
const MOST_TEXT_REGISTERS = 125;

/**
 * Reads `<hr|ir|co|di>:<0-based address>:<type>[:<order>]`; a bit of a register is `hr:37:bit:3`, bits 4 to 7 of it
 * `hr:37:bits:4-7` (either may end in `:rmw`), a text `hr:100:str:8` (registers), a coil `co:5` or `co:5:bit`.
 * @param fallback Order of numbers that name none.
 * @throws DriverError 'config' that says what is wrong and what would be right.
 */
export function parseAddress(text: string, fallback: Order = 'ABCD'): Address {
  const [table = '', place = '', type, ...options] = text.split(':');
  if (!isOneOf(Object.keys(functions), table)) throw fault(text, `'${table}' is not one of hr, ir, co, di`);
  if (!/^\d{1,5}$/.test(place) || Number(place) > 0xffff)
    throw fault(text, `'${place}' is not a register number 0..65535`);
  const fc = functions[table as keyof typeof functions];
  const start = Number(place);
  if (fc <= 2) {
    if (type !== undefined && type !== 'bit') throw fault(text, `a coil or contact is a bit, not '${type}'`);
    if (options.length > 0) throw fault(text, `a coil or contact has no bit number or order`);
    return { fc, start, count: 1, type: 'bit', order: 'ABCD', bit: 0 };
  }
  if (type === undefined || !isOneOf(Object.keys(sizes), type))
    throw fault(text, `'${type ?? ''}' is not one of ${Object.keys(sizes).join(', ')}`);
  const address = { fc, start, ...layoutOf(type as ValueType, options, fallback, text) };
  if (start + address.count > 0x1_0000)
    throw fault(text, `${type} needs ${address.count} registers and runs past 65535`);
  return address;
}

/** What follows the place: how many registers, and what of them. */
function layoutOf(
  type: ValueType,
  [option, extra, ...more]: readonly string[],
  fallback: Order,
  text: string,
): Omit<Address, 'fc' | 'start'> {
  if (type === 'bit' || type === 'bits') {
    if (more.length > 0 || (extra !== undefined && extra !== 'rmw')) throw fault(text, 'too many parts');
    const rewrite = extra === 'rmw' ? ({ mayRewrite: true } as const) : {};
    return { count: 1, type, order: 'ABCD', ...bitsOf(type, option ?? '', text), ...rewrite };
  }
  const order = (type === 'str' ? extra : option) ?? fallback;
  if (more.length > 0 || (type !== 'str' && extra !== undefined)) throw fault(text, 'too many parts');
  if (!isOneOf(orders, order)) throw fault(text, `'${order}' is not one of ${orders.join(', ')}`);
  if (
    type === 'str' &&
    (!/^\d{1,3}$/.test(option ?? '') || !isWithin(Number(option), 1, MOST_TEXT_REGISTERS))
  )
    throw fault(text, `'${option ?? ''}' is not a number of registers 1..${MOST_TEXT_REGISTERS}`);
  return { count: type === 'str' ? Number(option) : sizes[type], type, order: order as Order, bit: 0 };
}

function bitsOf(type: 'bit' | 'bits', option: string, text: string): Pick<Address, 'bit' | 'width'> {
  if (type === 'bit') {
    if (!/^(\d|1[0-5])$/.test(option)) throw fault(text, `'${option}' is not a bit number 0..15`);
    return { bit: Number(option) };
  }
  const [, low, high] = /^(\d|1[0-5])-(\d|1[0-5])$/.exec(option) ?? [];
  const width = Number(high) - Number(low) + 1;
  if (low === undefined || width < 1)
    throw fault(text, `'${option}' is not a range of bits 0-15, lowest first`);
  return { bit: Number(low), width };
}

const fault = (text: string, what: string): DriverError =>
  new DriverError('config', `${what} in address '${text}'`, 'modbus address');
const isOneOf = (names: readonly string[], name: string): boolean => names.includes(name);
const isWithin = (value: number, least: number, most: number): boolean => value >= least && value <= most;
