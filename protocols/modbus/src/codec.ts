import { MAX_EXACT_COUNT } from '@parkline/contract/exact';
import { engineering, judge, type Limits, type PointRef, scaled, type Verdict } from '@parkline/kit';
import type { Address, Order, ValueType } from './address.ts';

/** A number out of a device, or why it is none. */
export type Decoded =
  { readonly ok: true; readonly value: number } | { readonly ok: false; readonly why: string };

const value = (number: number): Decoded => ({ ok: true, value: number });
const refuse = (why: string): Decoded => ({ ok: false, why });

/**
 * The value of a point out of the data bytes of an answer: engineering value, whole counts for a register, 0/1 for a bit.
 * @param data Bytes after the byte count of the answer.
 * @param blockStart Address of the first register (coil) in `data`.
 */
export function decodePoint(data: Uint8Array, blockStart: number, address: Address, ref: PointRef): Decoded {
  const raw = decodeRaw(data, address.start - blockStart, address);
  if (!raw.ok) return raw;
  const verdict = judgeAs(address.type, raw.value, ref.limits);
  if (verdict.quality !== 'good') return refuse(verdict.why);
  if (ref.kind !== 'register') return value(engineering(raw.value, ref));
  const counts = Math.round(scaled(raw.value, ref.scale));
  return Math.abs(counts) > MAX_EXACT_COUNT ? refuse('above 2^53') : value(counts);
}

/** Whether a raw value is a measurement. A float32 means what its register can hold of it: 3.4028235e38, 1e30. */
export function judgeAs(type: ValueType, raw: number, limits?: Limits): Verdict {
  const isMarked =
    type === 'f32' && limits?.sentinels?.some((each) => Math.fround(each) === Math.fround(raw));
  return isMarked ? { quality: 'bad', why: `${raw} means no measurement` } : judge(raw, limits);
}

/** The number as it stands in the registers. `offset` counts registers (coils) from the start of `data`. */
export function decodeRaw(data: Uint8Array, offset: number, address: Address): Decoded {
  if (address.fc <= 2) return value((data[offset >> 3]! >> (offset & 7)) & 1);
  const bytes = inOrder(data, offset, address);
  switch (address.type) {
    case 'u16':
      return value(bytes.getUint16(0));
    case 'i16':
      return value(bytes.getInt16(0));
    case 'u32':
      return value(bytes.getUint32(0));
    case 'i32':
      return value(bytes.getInt32(0));
    case 'u64':
      return exact(bytes.getBigUint64(0));
    case 'i64':
      return exact(bytes.getBigInt64(0));
    case 'f32':
      return value(shortestFloat32(bytes.getFloat32(0)));
    case 'f64':
      return value(bytes.getFloat64(0));
    case 'bcd16':
      return fromBcd(bytes.getUint16(0));
    case 'bcd32':
      return fromBcd(bytes.getUint32(0));
    case 'bit':
      return value((bytes.getUint16(0) >> address.bit) & 1);
    case 'bits':
      return value((bytes.getUint16(0) >> address.bit) & (2 ** address.width! - 1));
    case 'str':
      return refuse(`a text, no number: '${textOf(bytes)}'`);
  }
}

/** The number's bytes, most significant first, whatever order the device keeps them in. */
function inOrder(data: Uint8Array, offset: number, { type, count, order }: Address): DataView {
  const at = offset * 2;
  if (order === 'ABCD') return new DataView(data.buffer, data.byteOffset + at, count * 2);
  // A text begins at its first register in any order; only the two letters of a register change places.
  const turned = type === 'str' ? (isSwapped(order) ? 'BADC' : 'ABCD') : order;
  return new DataView(reordered(data.subarray(at, at + count * 2), turned).buffer);
}

const isLowFirst = (order: Order): boolean => order === 'CDAB' || order === 'DCBA';
const isSwapped = (order: Order): boolean => order === 'BADC' || order === 'DCBA';

/** Bytes of whole registers from most significant first to the device's order, or back: each order undoes itself. */
export function reordered(bytes: Uint8Array, order: Order): Uint8Array<ArrayBuffer> {
  const turned = new Uint8Array(bytes.length);
  const last = bytes.length / 2 - 1;
  for (let register = 0; register <= last; register += 1) {
    const from = 2 * (isLowFirst(order) ? last - register : register);
    turned[2 * register] = bytes[isSwapped(order) ? from + 1 : from]!;
    turned[2 * register + 1] = bytes[isSwapped(order) ? from : from + 1]!;
  }
  return turned;
}

/** Letters up to the first zero, without the blanks that fill them up. */
export function textOf({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  const text = new TextDecoder().decode(new Uint8Array(buffer, byteOffset, byteLength));
  return text
    .replace(/\0[^]*$/, '')
    .replace(/\p{Cc}/gu, '?')
    .trim();
}

/** A double holds whole numbers to 2^53; a larger count would be silently wrong. */
function exact(number: bigint): Decoded {
  const isExact = number <= BigInt(MAX_EXACT_COUNT) && number >= -BigInt(MAX_EXACT_COUNT);
  return isExact ? value(Number(number)) : refuse('above 2^53');
}

/** Decimal digits in four bits each. */
function fromBcd(packed: number): Decoded {
  const digits = packed.toString(16);
  return /^\d+$/.test(digits) ? value(Number(digits)) : refuse(`0x${digits} is not BCD`);
}

/** The shortest decimal that is this float32: 230.1, not 230.10000610351562. A float32 has 6 to 9 significant digits. */
export function shortestFloat32(float: number): number {
  if (Number.isInteger(float) || !Number.isFinite(float)) return float;
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return Number(float.toPrecision(9));
}
