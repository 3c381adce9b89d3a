import type { PointRef } from '@parkline/kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encode } from './encode.ts';
import { sampleOf } from './value.ts';

const gauge: PointRef = { pointId: 'p', address: 'A', scale: 1, kind: 'gauge' };
const encoded = (value: number, type: string, over: Partial<PointRef> = {}) => {
  const result = encode(value, type, { ...gauge, ...over });
  return result.ok ? result.encoded.value : result.why;
};

test.each([
  [1, 'Boolean', {}, true],
  [0, 'Boolean', {}, false],
  [-128, 'SByte', {}, -128],
  [255, 'Byte', {}, 255],
  [21.5, 'Int16', { scale: 0.1 }, 215],
  [-5, 'Int16', { scale: 0.5, offset: 10 }, -30],
  [65_535, 'UInt16', {}, 65_535],
  [-2_147_483_648, 'Int32', {}, -2_147_483_648],
  [4_294_967_295, 'UInt32', {}, 4_294_967_295],
  [-0, 'Float', {}, 0],
  [2 ** 53 - 1, 'UInt64', {}, [0x1f_ffff, 0xffff_ffff]],
  [-1, 'Int64', {}, [0xffff_ffff, 0xffff_ffff]],
  [4_294_967_298, 'UInt64', {}, [1, 2]],
  [230.1, 'Float', {}, Math.fround(230.1)],
  [1e-3, 'Double', { scale: 1_000 }, 1e-6],
  [12, 'UInt32', { kind: 'register' as const, scale: 0.01 }, 1_200],
] as const)('%d goes into %s (%o)', (value, type, over, raw) => {
  expect(encoded(value, type, over)).toEqual(raw);
});

test.each([
  [2, 'Boolean', {}, 'a Boolean is 0 or 1'],
  [0.5, 'Boolean', {}, 'a Boolean is 0 or 1'],
  [256, 'Byte', {}, 'outside 0..255'],
  [1.5, 'Int16', {}, 'no whole number'],
  [21.55, 'Int16', { scale: 0.1 }, 'no whole number'],
  [32_768, 'Int16', {}, 'outside -32768..32767'],
  [-1, 'UInt32', {}, 'outside 0..4294967295'],
  [2 ** 53, 'Int64', {}, 'outside'],
  [230.123456789, 'Float', {}, 'cannot hold 230.123456789 exactly'],
  [1e39, 'Float', {}, 'cannot hold'],
  [NaN, 'Double', {}, 'NaN is no value'],
  [Infinity, 'Double', {}, 'Infinity is no value'],
  [1, 'String', {}, 'a String cannot be written'],
  [1, 'toString', {}, 'a toString cannot be written'],
  [0.1 + 0.2, 'Double', { scale: 0.1 }, 'not a whole multiple'],
] as const)('%d is refused for %s (%o)', (value, type, over, why) => {
  expect(encoded(value, type, over)).toContain(why);
});

test('what is written reads back as it was ordered, or is refused: nothing in between', () => {
  const types = fc.constantFrom(
    'Boolean',
    'SByte',
    'Byte',
    'Int16',
    'UInt16',
    'Int32',
    'UInt32',
    'Int64',
    'UInt64',
    'Float',
    'Double',
  );
  const scales = fc.constantFrom(1, 0.1, 0.01, 0.001, 10, 0.5, 1 / 3, 1e-7);
  const values = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.float(),
    fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.nat(4)).map(([n, digits]) => n / 10 ** digits),
  );
  let taken = 0;
  fc.assert(
    fc.property(
      types,
      scales,
      values,
      fc.constantFrom('gauge' as const, 'state' as const),
      (type, scale, value, kind) => {
        const ref: PointRef = { ...gauge, scale, kind };
        const result = encode(value, type, ref);
        if (!result.ok) return;
        taken += 1;
        const reading = {
          ...result.encoded,
          isArray: false,
          status: { name: 'Good', code: 0 },
          sourceAt: undefined,
        };
        expect(sampleOf(ref, reading, { beganAt: 0, at: 0 }).value).toBe(value + 0);
      },
    ),
    { numRuns: 20_000 },
  );
  expect(taken).toBeGreaterThan(2_000);
});
