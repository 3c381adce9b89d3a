import type { PointRef } from '@parkline/kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';
import { decodePoint, decodeRaw, shortestFloat32 } from './codec.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const raw = (address: string, hex: string): unknown => {
  const parsed = parseAddress(address);
  const decoded = decodeRaw(bytes(hex), 0, { ...parsed, start: 0 });
  return decoded.ok ? decoded.value : decoded.why;
};

test.each([
  ['hr:0:u16', 'ffff', 65535],
  ['hr:0:u16:BADC', '1234', 0x3412],
  ['hr:0:u16:CDAB', '1234', 0x1234],
  ['hr:0:i16', 'fffe', -2],
  ['hr:0:u32', '1234 5678', 0x12345678],
  ['hr:0:u32:CDAB', '5678 1234', 0x12345678],
  ['hr:0:u32:BADC', '3412 7856', 0x12345678],
  ['hr:0:u32:DCBA', '7856 3412', 0x12345678],
  ['hr:0:i32', 'ffff fffe', -2],
  ['hr:0:i64', 'ffff ffff ffff fffe', -2],
  ['hr:0:i64:CDAB', 'fffe ffff ffff ffff', -2],
  ['hr:0:i64', '001f ffff ffff ffff', Number.MAX_SAFE_INTEGER],
  ['hr:0:i64', '0020 0000 0000 0000', 'above 2^53'],
  ['hr:0:i64', 'ffdf ffff ffff ffff', 'above 2^53'],
  ['hr:0:u64', '0000 0000 0000 0001', 1],
  ['hr:0:u64', 'ffff ffff ffff ffff', 'above 2^53'],
  ['hr:0:u64:DCBA', '0100 0000 0000 0000', 1],
  ['hr:0:f32', '4366 199a', 230.1],
  ['hr:0:f32:CDAB', '199a 4366', 230.1],
  ['hr:0:f32', '7fc0 0000', NaN],
  ['hr:0:f64', '4009 21fb 5444 2d18', Math.PI],
  ['hr:0:bcd16', '9876', 9876],
  ['hr:0:bcd16', '98a6', '0x98a6 is not BCD'],
  ['hr:0:bcd32', '1234 5678', 12345678],
  ['hr:0:bcd32', 'f000 0000', '0xf0000000 is not BCD'],
  ['hr:0:bit:15', '8000', 1],
  ['hr:0:bit:0', '8000', 0],
  ['hr:0:bits:4-7', 'abcd', 0xc],
  ['hr:0:bits:0-15', 'abcd', 0xabcd],
  ['hr:0:bits:15-15', '8000', 1],
  ['hr:0:str:3', '4142 4300 7a7a', "a text, no number: 'ABC'"],
  ['hr:0:str:3:BADC', '4241 2043 2020', "a text, no number: 'ABC'"],
  ['hr:0:str:2:CDAB', '4142 0a44', "a text, no number: 'AB?D'"],
  ['co:0', '01', 1],
  ['di:0', 'fe', 0],
] as const)('%s of %s is %s', (address, hex, value) => {
  expect(raw(address, hex)).toEqual(value);
});

test('finds a point in the middle of a block, also a coil past the first byte', () => {
  expect(decodeRaw(bytes('0000 0000 1234'), 2, parseAddress('hr:2:u16'))).toEqual({
    ok: true,
    value: 0x1234,
  });
  expect(decodeRaw(bytes('00 02'), 9, parseAddress('co:9'))).toEqual({ ok: true, value: 1 });
});

test('data that is a window of a larger buffer is read at its own place', () => {
  const window = bytes('dead beef 0007').subarray(4);
  expect(decodeRaw(window, 0, parseAddress('hr:0:u16'))).toEqual({ ok: true, value: 7 });
});

const point = (address: string, scale: number, more: Partial<PointRef> = {}): PointRef => ({
  pointId: 'p',
  address,
  scale,
  kind: 'gauge',
  ...more,
});
const value = (ref: PointRef, hex: string): unknown => {
  const decoded = decodePoint(bytes(hex), 100, parseAddress(ref.address), ref);
  return decoded.ok ? decoded.value : decoded.why;
};

test.each([
  ['a scaled gauge has no binary noise', point('hr:100:u16', 0.1), '08fd', 230.1],
  ['an offset is added after scaling', { ...point('hr:100:i16', 0.1), offset: -40 }, '00fb', -14.9],
  ['a float gauge keeps its decimals through scaling', point('hr:100:f32', 0.001), '449a 8ccd', 1.2364],
  ['a register is whole counts', point('hr:100:f32', 100, { kind: 'register' }), '4792 c640', 7514850],
  ['a register is rounded to the nearest count', point('hr:100:u16', 0.1, { kind: 'register' }), '000f', 2],
  [
    'counts past 2^53 are bad',
    point('hr:100:f64', 1e9, { kind: 'register' }),
    '4197 d784 0000 0000',
    'above 2^53',
  ],
  ['a raw value past 2^53 is bad', point('hr:100:u64', 0.001), 'ffff ffff ffff ffff', 'above 2^53'],
  ['NaN is bad', point('hr:100:f32', 1), '7fc0 0000', 'NaN'],
  ['infinity is bad', point('hr:100:f32', 1), '7f80 0000', 'infinite'],
  [
    'a sentinel is bad',
    point('hr:100:i16', 1, { limits: { sentinels: [32767] } }),
    '7fff',
    '32767 means no measurement',
  ],
  [
    'a sentinel of a float32 is what the registers hold of it',
    point('hr:100:f32', 0.1, { limits: { sentinels: [1e30] } }),
    '7149 f2ca',
    '1.0000000150474662e+30 means no measurement',
  ],
  [
    'a raw value below what is possible is bad',
    point('hr:100:i16', 0.1, { limits: { min: -400, max: 1_000 } }),
    'fe6f',
    '-401 is outside -400..1000',
  ],
  [
    'a raw value above what is possible is bad',
    point('hr:100:f32', 1, { limits: { max: 500 } }),
    '43fa 4000',
    '500.5 is outside -Infinity..500',
  ],
  ['the last possible value is good', point('hr:100:u16', 1, { limits: { min: 0, max: 100 } }), '0064', 100],
] as const)('%s', (_what, ref, hex, expected) => {
  expect(value(ref, hex)).toBe(expected);
});

test('the shortest decimal of a float32 is that float32, and no longer than any other that is', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true }), (float) => {
      const short = shortestFloat32(float);
      expect(Math.fround(short)).toBe(float);
      if (!Number.isInteger(float) && Number.isFinite(float)) {
        expect(String(short).length).toBeLessThanOrEqual(String(float).length);
      }
    }),
    { numRuns: 5_000 },
  );
});

test.each([
  [230.1, 230.1],
  [0.1, 0.1],
  [16777216, 16777216],
  [1.17549435e-38, 1.1754944e-38],
  [3.4028235e38, 3.4028234663852886e38],
  [-0.3333333433, -0.33333334],
] as const)('float32 %d reads as %d', (decimal, short) => {
  expect(shortestFloat32(Math.fround(decimal))).toBe(short);
});
