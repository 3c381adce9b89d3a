import type { Raw } from './reading.ts';

/**
 * Packed decimal digits, lowest byte first, as Chinese meters send numbers.
 * @param decimals Digits behind the point.
 * @param isSigned The highest bit says minus, and is no part of the digits.
 */
export function readBcd(bytes: Uint8Array, decimals: number, isSigned = false): Raw {
  const digits = [...bytes].reverse();
  if (digits.every((byte) => byte === 0xff)) return { ok: false, why: 'the meter shows no value' };
  const isMinus = isSigned && (digits[0]! & 0x80) !== 0;
  if (isMinus) digits[0]! &= 0x7f;
  const text = hexOf(digits);
  if (!/^\d+$/.test(text)) return { ok: false, why: `0x${text} is not BCD` };
  const size = Number(`${text}e-${decimals}`);
  return { ok: true, value: isMinus && size !== 0 ? -size : size };
}

/** Two hex digits a byte, in the order given. */
export const hexOf = (bytes: Iterable<number>): string =>
  [...bytes]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();

/** The bytes of an address or identifier as printed (highest first), in the order of the wire (lowest first). */
export const lowFirst = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex')).reverse();

/** As printed, highest first, from the order of the wire. */
export const printed = (bytes: Uint8Array): string => hexOf([...bytes].reverse());

/** Sum of bytes, modulo 256: the check of both standards. */
export const checkSum = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0);
