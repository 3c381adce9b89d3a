import type { PointRef } from '@parkline/kit';
import { expect, test } from 'vitest';
import { type Reading, readAt, sampleOf, toldAt } from './value.ts';

const gauge: PointRef = { pointId: 'p', address: 'A', scale: 1, kind: 'gauge' };
const register: PointRef = { ...gauge, kind: 'register', scale: 10 };
const good = { name: 'Good', code: 0 };
const reading = (type: string, value: unknown): Reading => ({
  type,
  isArray: false,
  value,
  status: good,
  sourceAt: undefined,
});
const times = { beganAt: 1_000, at: 1_005 };
const judged = (ref: PointRef, given: Reading) => {
  const { value, quality, why } = sampleOf(ref, given, times);
  return [value, quality, why];
};

test.each([
  ['Boolean', true, 1],
  ['Boolean', false, 0],
  ['Int16', -5, -5],
  ['Float', Math.fround(230.1), 230.1],
  ['Float', Math.fround(0.1), 0.1],
  ['Double', 230.1, 230.1],
  ['Int64', [0xffffffff, 0xffffffff], -1],
  ['Int64', [-1, -2], -2],
  ['UInt64', [1, 2], 4_294_967_298],
] as const)('reads a %s %o', (type, value, number) => {
  expect(judged(gauge, reading(type, value))).toEqual([number, 'good', undefined]);
});

test.each([
  ['a text', reading('String', '12'), 'a String is not a number'],
  ['a date', reading('DateTime', new Date(0)), 'a DateTime is not a number'],
  ['nothing', reading('Null', null), 'no value'],
  ['an array', { ...reading('Double', [1, 2]), isArray: true }, 'an array of Double is not a number'],
  ['NaN', reading('Double', NaN), 'NaN'],
  ['a whole number past 2^53', reading('UInt64', [0x200000, 1]), 'above 2^53'],
  ['half a 64-bit number', reading('Int64', 5), 'no Int64'],
  [
    'a bad status',
    { ...reading('Double', 5), status: { name: 'BadSensorFailure', code: 0x808c0000 } },
    'BadSensorFailure',
  ],
] as const)('%s is bad with the reason', (_what, given, why) => {
  expect(judged(gauge, given)).toEqual([null, 'bad', why]);
});

test('an uncertain value stays a value', () => {
  const given = { ...reading('Double', 5), status: { name: 'UncertainLastUsableValue', code: 0x40900000 } };
  expect(judged(gauge, given)).toEqual([5, 'uncertain', 'UncertainLastUsableValue']);
});

test('a register is whole counts, refused where they would be rounded', () => {
  expect(judged(register, reading('Double', 12.34))).toEqual([123, 'good', undefined]);
  expect(judged(register, reading('Double', 1e15))).toEqual([null, 'bad', 'above 2^53']);
});

test('limits are those of the raw value', () => {
  expect(judged({ ...gauge, scale: 0.1, limits: { max: 100 } }, reading('Int16', 101))[1]).toBe('bad');
  expect(judged({ ...gauge, scale: 0.1, limits: { sentinels: [0] } }, reading('Boolean', false))[1]).toBe(
    'bad',
  );
});

test.each([
  ['a change since the subscription began', 5_000, 5_000],
  ['no source time', undefined, 6_000],
  ['a value that stood before', 3_999, 6_000],
  ['a clock that runs ahead', 6_001, 6_000],
] as const)('a notified value: %s', (_what, sourceAt, at) => {
  expect(toldAt(sourceAt, 6_000, 4_000)).toBe(at);
});

test('a notified value that no server would have kept so long has the time of receipt', () => {
  expect(toldAt(10_000, 100_001, 0)).toBe(100_001);
  expect(toldAt(10_001, 100_001, 0)).toBe(10_001);
});

test('a value that was read has the source time only if it was looked up for this request', () => {
  expect(readAt(1_003, times)).toBe(1_003);
  expect([readAt(999, times), readAt(1_006, times), readAt(undefined, times)]).toEqual([1_005, 1_005, 1_005]);
});
