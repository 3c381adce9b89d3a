/** How makers' tables call number formats, and how such a number lies in 16-bit registers. Written for the simulator alone. */
export const formats = {
  UINT16: 1,
  INT16: 1,
  UINT32: 2,
  INT32: 2,
  UINT64: 4,
  INT64: 4,
  FLOAT32: 2,
  FLOAT64: 4,
  BCD16: 1,
  BCD32: 2,
  BIT: 1,
} as const;
export type Format = keyof typeof formats;

/** Order of the registers of one number; `swapped` also turns the two bytes of each register. */
export const wordOrders = ['high-first', 'low-first', 'high-first-swapped', 'low-first-swapped'] as const;
export type WordOrder = (typeof wordOrders)[number];

/** The registers that show `value`. Whole numbers wrap round like a counter that rolls over. */
export function toWords(value: number | bigint, format: Format, order: WordOrder): number[] {
  const bytes = Buffer.alloc(formats[format] * 2);
  if (format === 'FLOAT32') bytes.writeFloatBE(Number(value));
  else if (format === 'FLOAT64') bytes.writeDoubleBE(Number(value));
  else writeWhole(bytes, format, BigInt(value));
  const words: number[] = [];
  for (let at = 0; at < bytes.length; at += 2) {
    words.push(order.endsWith('swapped') ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  }
  return order.startsWith('low') ? words.reverse() : words;
}

function writeWhole(bytes: Buffer, format: Format, value: bigint): void {
  const digits = format.startsWith('BCD')
    ? BigInt(`0x${(value % 10n ** BigInt(bytes.length * 2)).toString()}`)
    : value;
  let rest = BigInt.asUintN(bytes.length * 8, digits);
  for (let at = bytes.length - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

/** Where a counter of this format starts again from zero; undefined for one that only loses digits. */
export function rollover(format: Format): bigint | undefined {
  const bits = BigInt(formats[format] * 16);
  if (format.startsWith('UINT')) return 1n << bits;
  if (format.startsWith('INT')) return 1n << (bits - 1n);
  return undefined;
}

/** What a reader sees of `value` stored as float32, in the fewest digits that still name that float. */
export function shortestFloat32(value: number): number {
  const stored = Math.fround(value);
  if (!Number.isFinite(stored)) return stored;
  for (let digits = 1; digits < 10; digits += 1) {
    const short = Number(stored.toPrecision(digits));
    if (Math.fround(short) === stored) return short;
  }
  return stored;
}
