import { DriverError } from '@parkline/kit';

/** Types and how many registers each takes. `bit` is one bit of a register, or a coil. */
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
} as const;
export type NumberType = keyof typeof sizes;

/** ABCD: high register first, as the specification has it; CDAB: low register first; BADC and DCBA also turn each register's bytes. */
const orders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
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
  readonly type: NumberType;
  readonly order: Order;
  /** 0 = lowest; only for type `bit` of a register. */
  readonly bit: number;
}

/**
 * Reads `<hr|ir|co|di>:<0-based address>:<type>[:<order>]`; a bit of a register is `hr:37:bit:3`, a coil `co:5` or `co:5:bit`.
 * @param fallback Order of numbers that name none.
 * @throws DriverError 'config' that says what is wrong and what would be right.
 */
export function parseAddress(text: string, fallback: Order = 'ABCD'): Address {
  const fail = (what: string): never => {
    throw new DriverError('config', `${what} in address '${text}'`, 'modbus address');
  };
  const [table = '', place = '', type, option, ...more] = text.split(':');
  if (!isOneOf(Object.keys(functions), table)) return fail(`'${table}' is not one of hr, ir, co, di`);
  if (more.length > 0) return fail(`too many parts`);
  if (!/^\d{1,5}$/.test(place) || Number(place) > 0xffff)
    return fail(`'${place}' is not a register number 0..65535`);
  const fc = functions[table as keyof typeof functions];
  const start = Number(place);

  if (fc <= 2) {
    if (type !== undefined && type !== 'bit') return fail(`a coil or contact is a bit, not '${type}'`);
    if (option !== undefined) return fail(`a coil or contact has no bit number or order`);
    return { fc, start, count: 1, type: 'bit', order: 'ABCD', bit: 0 };
  }
  if (type === undefined || !isOneOf(Object.keys(sizes), type)) {
    return fail(`'${type ?? ''}' is not one of ${Object.keys(sizes).join(', ')}`);
  }
  const count = sizes[type as NumberType];
  if (start + count > 0x1_0000) return fail(`${type} needs ${count} registers and runs past 65535`);
  if (type === 'bit') {
    if (option === undefined || !/^(\d|1[0-5])$/.test(option))
      return fail(`'${option ?? ''}' is not a bit number 0..15`);
    return { fc, start, count, type, order: 'ABCD', bit: Number(option) };
  }
  if (option !== undefined && !isOneOf(orders, option))
    return fail(`'${option}' is not one of ${orders.join(', ')}`);
  return {
    fc,
    start,
    count,
    type: type as NumberType,
    order: (option as Order | undefined) ?? fallback,
    bit: 0,
  };
}

const isOneOf = (names: readonly string[], name: string): boolean => names.includes(name);
