import type { PointRef } from '@parkline/kit';
import { expect, test } from 'vitest';
import { createSourceClock, type Reading, readAt, sampleOf } from './value.ts';

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
  expect(createSourceClock(4_000, () => 2_500)(sourceAt, 6_000, false)).toBe(at);
});

test('a kept value that no server would have kept so long has the time of receipt', () => {
  const timeOf = createSourceClock(0, () => 2_500);
  expect(timeOf(10_000, 100_001, true)).toBe(100_001);
  expect(timeOf(10_001, 100_001, true)).toBe(10_001);
});

test('a server whose clock is slow is not believed, also of changes it kept, until its clock is right', () => {
  const timeOf = createSourceClock(0, () => 2_500);
  expect(timeOf(40_000, 100_000, false)).toBe(100_000);
  expect(timeOf(70_000, 130_000, true)).toBe(130_000);
  expect(timeOf(139_000, 140_000, false)).toBe(139_000);
  expect(timeOf(110_000, 150_000, true)).toBe(110_000);
});

test.each([
  ['overflow', 0x480, 'uncertain'],
  ['overflow and other info', 0x483, 'uncertain'],
  ['the bit without its type', 0x80, 'good'],
] as const)('a good value whose status says %s', (_what, code, quality) => {
  expect(judged(gauge, { ...reading('Double', 5), status: { name: 'Good', code } }).slice(0, 2)).toEqual([
    5,
    quality,
  ]);
});

test('a value that was read has the source time only if it was looked up for this request', () => {
  expect(readAt(1_003, times)).toBe(1_003);
  expect([readAt(999, times), readAt(1_006, times), readAt(undefined, times)]).toEqual([1_005, 1_005, 1_005]);
});
