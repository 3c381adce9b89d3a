import type { PointRef } from '@parkline/kit';
import { expect, test } from 'vitest';
import type { PropertyValue } from './tags.ts';
import { flagsOf, verdictOf } from './value.ts';

const ref: PointRef = { pointId: 'p', address: 'analog-input,1', scale: 1, kind: 'gauge' };
const value = (type: number, of: unknown): PropertyValue[] => [
  { type, value: of, len: 0 } as unknown as PropertyValue,
];
/** @param octet The first flag lowest. */
const flags = (octet: number) =>
  flagsOf(
    value(
      8,
      [1, 2, 4, 8].map((bit) => (octet & bit) !== 0),
    ),
  );

test.each([
  ['a real as its shortest decimal', value(4, Math.fround(21.4)), 21.4],
  ['an enumerated', value(9, 1), 1],
  ['an unsigned', value(2, 4_000_000_000), 4_000_000_000],
  ['a signed', value(3, -5), -5],
  ['a double', value(5, 0.1), 0.1],
  ['true', value(1, true), 1],
  ['false', value(1, false), 0],
])('%s is good', (_what, values, number) => {
  expect(verdictOf(values, ref)).toEqual({ value: number, quality: 'good' });
});

test.each([
  ['NaN', value(4, NaN), 'NaN'],
  ['null', value(0, null), 'no value'],
  ['nothing', [], 'no value'],
  ['two values', [...value(4, 1), ...value(4, 2)], 'a list is no number'],
  ['a string', value(7, '21.4'), 'not a number'],
  ['a context tag', value(113, [1]), 'not a number'],
])('%s is bad', (_what, values, why) => {
  expect(verdictOf(values, ref)).toEqual({ value: null, quality: 'bad', why });
});

test('a fault makes bad, a hand on the controller uncertain, an alarm nothing', () => {
  const verdict = (octet: number, reliability?: number) =>
    verdictOf(value(4, 20), ref, flags(octet), reliability);
  expect(verdict(0b0010)).toEqual({ value: null, quality: 'bad', why: 'fault' });
  expect(verdict(0b1010, 1)).toMatchObject({ why: 'fault: no sensor' });
  expect(verdict(0b0010, 99)).toMatchObject({ why: 'fault: reliability 99' });
  expect(verdict(0b0100)).toEqual({ value: 20, quality: 'uncertain', why: 'overridden' });
  expect(verdict(0b1100)).toEqual({ value: 20, quality: 'uncertain', why: 'out of service' });
  expect(verdict(0b0001)).toEqual({ value: 20, quality: 'good' });
  expect(flagsOf(value(2, 3))).toBeUndefined();
});

test('a register is whole counts, and none that a number cannot hold', () => {
  const register: PointRef = { ...ref, kind: 'register', scale: 0.1 };
  expect(verdictOf(value(2, 1_234), register)).toEqual({ value: 123, quality: 'good' });
  expect(verdictOf(value(5, 1e18), register)).toMatchObject({ quality: 'bad', why: 'above 2^53' });
  expect(verdictOf(value(2, 7), { ...ref, limits: { sentinels: [7] } })).toMatchObject({ quality: 'bad' });
});
