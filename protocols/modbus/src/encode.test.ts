import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Address, orders, parseAddress, type ValueType } from './address.ts';
import { decodeRaw } from './codec.ts';
import { encodeRaw } from './encode.ts';

const hex = (address: string, raw: number): string => {
  const encoded = encodeRaw(raw, parseAddress(address));
  return encoded.ok ? Buffer.from(encoded.bytes).toString('hex') : encoded.why;
};

test.each([
  ['hr:0:u16', 65535, 'ffff'],
  ['hr:0:u16:BADC', 0x1234, '3412'],
  ['hr:0:i16', -2, 'fffe'],
  ['hr:0:u32', 0x12345678, '12345678'],
  ['hr:0:u32:CDAB', 0x12345678, '56781234'],
  ['hr:0:u32:BADC', 0x12345678, '34127856'],
  ['hr:0:u32:DCBA', 0x12345678, '78563412'],
  ['hr:0:i32', -2, 'fffffffe'],
  ['hr:0:i64:CDAB', -2, 'fffeffffffffffff'],
  ['hr:0:u64', Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
  ['hr:0:f32', 230.1, '4366199a'],
  ['hr:0:f64:DCBA', Math.PI, '182d4454fb210940'],
  ['hr:0:bcd16', 9876, '9876'],
  ['hr:0:bcd32:CDAB', 12345678, '56781234'],
] as const)('%s of %d is written as %s', (address, raw, expected) => {
  expect(hex(address, raw)).toBe(expected);
});

test.each([
  ['hr:0:u16', 65536, 'u16 holds 0..65535, not 65536'],
  ['hr:0:u16', -1, 'u16 holds 0..65535, not -1'],
  ['hr:0:i16', 32768, 'i16 holds -32768..32767, not 32768'],
  ['hr:0:u32', 2 ** 32, 'u32 holds 0..4294967295, not 4294967296'],
  ['hr:0:u16', 1.5, 'u16 holds whole numbers up to 2^53, not 1.5'],
  ['hr:0:u16', NaN, 'u16 holds whole numbers up to 2^53, not NaN'],
  ['hr:0:i64', 2 ** 53, 'i64 holds whole numbers up to 2^53, not 9007199254740992'],
  ['hr:0:bcd16', 10000, 'bcd16 holds 0..9999, not 10000'],
  ['hr:0:bcd16', -1, 'bcd16 holds 0..9999, not -1'],
  ['hr:0:f32', 16777217, 'f32 cannot hold 16777217 exactly'],
  ['hr:0:f32', 1e39, 'f32 cannot hold 1e+39 exactly'],
  ['hr:0:f32', 0.123456789, 'f32 cannot hold 0.123456789 exactly'],
  ['hr:0:str:2', 1, 'a register is not written as str'],
] as const)('%s refuses %d: %s', (address, raw, why) => {
  expect(hex(address, raw)).toBe(why);
});

const types = [
  'u16',
  'i16',
  'u32',
  'i32',
  'u64',
  'i64',
  'f32',
  'f64',
  'bcd16',
  'bcd32',
] as const satisfies ValueType[];
const places = types.flatMap((type) =>
  orders.map((order): [string, Address] => [`${type} ${order}`, parseAddress(`hr:0:${type}:${order}`)]),
);

test.each(places)('%s: what registers show is written back as the same registers', (_name, address) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2 * address.count, maxLength: 2 * address.count }), (bytes) => {
      const shown = decodeRaw(bytes, 0, address);
      if (!shown.ok || Number.isNaN(shown.value)) return; // Past 2^53, no BCD, or one of many NaNs.
      expect(encodeRaw(shown.value, address)).toEqual({ ok: true, bytes });
    }),
    { numRuns: 1_000 },
  );
});

test.each(places)('%s: a number that is taken is the number that is shown', (_name, address) => {
  const numbers = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.nat(99_999_999),
    fc.float({ noNaN: true }),
    fc.double(),
  );
  fc.assert(
    fc.property(numbers, (raw) => {
      const encoded = encodeRaw(raw, address);
      if (encoded.ok) expect(decodeRaw(encoded.bytes, 0, address)).toEqual({ ok: true, value: raw });
    }),
    { numRuns: 500 },
  );
});
