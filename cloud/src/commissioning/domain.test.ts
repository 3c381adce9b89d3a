import { expect, test } from 'vitest';
import { canonicalJson } from './canonical.ts';
import { checkReading, digitOf, type Ratio, ratioFault, type Sampled, stateOf } from './domain.ts';

const at = new Date('2026-11-22T08:00:00Z');
const [minute, near] = [60_000, 15 * 60_000];
const now = new Date(at.getTime() + 3_600_000);
const sample = (offsetMs: number, value: number | null, isGood = true): Sampled => ({
  ...{ at: at.getTime() + offsetMs, value, isGood },
});
const plain: Ratio = { ct: 1, pt: 1, applied: 'telemetry' };
const check = (display: string, samples: readonly Sampled[], ratio = plain, when = now) =>
  checkReading({ display, at }, ratio, samples, { now: when, nearMs: near });

test.each([
  ['at the edge of 0.5 %', '1000.0', 1005, 'agrees'],
  ['past the edge', '1000.0', 1005.01, 'differs'],
  ['below the edge', '1000.0', 994.99, 'differs'],
  ['one digit of a small value', '3.1', 3.2, 'unknown'],
  ['more than one digit of a small value', '3.1', 3.21, 'differs'],
  ['a display without decimals', '12', 12.9, 'unknown'],
  ['a display without decimals that is close enough', '100', 100.5, 'agrees'],
  ['a display without decimals that may have cut off', '100', 100.9, 'unknown'],
  ['a display that still shows zero', '0.00', 0.01, 'unknown'],
  ['a display that shows zero, of a meter that counted nothing', '0.00', 0, 'agrees'],
  ['a display that shows zero for ever', '0.00', 4, 'differs'],
] as const)('%s', (_name, display, value, result) => {
  expect(check(display, [sample(0, value)])).toMatchObject({ result, telemetry: value });
});

test('between two samples a straight line counts', () => {
  const samples = [sample(-6 * minute, 100), sample(4 * minute, 110)];
  expect(check('106.0', samples)).toMatchObject({ telemetry: 106, difference: 0, result: 'agrees' });
});

test('the ratio counts where the display does not contain it, and the digit with it', () => {
  const ratio = { ct: 40, pt: 10, applied: 'telemetry' } as const;
  expect(check('12.5', [sample(0, 5_000)], ratio)).toMatchObject({ expected: 5_000, allowed: 25 });
  const [asFarAsADigit, further] = [5_040, 5_041].map((value) => check('12.5', [sample(0, value)], ratio));
  expect(asFarAsADigit).toMatchObject({ result: 'unknown', reason: 'coarse', difference: 40 });
  expect(further).toMatchObject({ result: 'differs', reason: null });
  for (const applied of ['display', 'billing'] as const)
    expect(check('12.5', [sample(0, 12.5)], { ...ratio, applied })).toMatchObject({ expected: 12.5 });
});

test.each([
  ['nothing there', [], now, 'no_telemetry'],
  ['one side only, long ago', [sample(-minute, 5)], now, 'no_telemetry'],
  ['one side only, just read', [sample(-minute, 5)], new Date(at.getTime() + minute), 'early'],
  ['only what is not good', [sample(-minute, 5, false), sample(minute, 6, false)], now, 'quality'],
  ['only what has no value', [sample(0, null, false)], now, 'quality'],
] as const)('it is not judged: %s', (_name, samples, when, reason) => {
  expect(check('5.0', samples, plain, when)).toMatchObject({ result: 'unknown', telemetry: null, reason });
});

test('what is not good is passed over where good samples lie on both sides', () => {
  const samples = [sample(-minute, 5), sample(0, 99, false), sample(minute, 5)];
  expect(check('5.0', samples)).toMatchObject({ result: 'agrees', telemetry: 5 });
});

test('the ratio is in exactly once', () => {
  const ratio = { ct: 40, pt: 1 };
  for (const [applied, multiplier, fault] of [
    ['telemetry', 1, null],
    ['telemetry', 40, 'applied_twice'],
    ['display', 1, null],
    ['display', 40, 'applied_twice'],
    ['billing', 40, null],
    ['billing', 1, 'not_applied'],
    ['billing', 1_600, 'applied_twice'],
    ['billing', undefined, null],
  ] as const)
    expect(ratioFault({ ...ratio, applied }, multiplier), `${applied} ${multiplier}`).toBe(fault);
});

test('a meter passes when all that was read agrees and the ratio is in once', () => {
  const [agrees, differs, unknown] = [
    check('5.0', [sample(0, 5)]),
    check('5.0', [sample(0, 9)]),
    check('5.0', []),
  ];
  expect(stateOf([], null)).toBe('open');
  expect(stateOf([agrees], null)).toBe('passed');
  expect(stateOf([agrees], 'applied_twice')).toBe('failed');
  expect(stateOf([agrees, unknown], null)).toBe('open');
  expect(stateOf([unknown, differs], null)).toBe('failed');
  expect(stateOf([check('100', [sample(0, 100.9)])], null)).toBe('open');
});

test('the last digit is what the display shows', () => {
  expect(['12', '12.0', '0.001'].map(digitOf)).toEqual([1, 0.1, 0.001]);
});

test('the same thing is always the same text', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'é' }], a: undefined, A: true })).toBe(
    '{"A":true,"b":[1,{"c":"é","d":null}]}',
  );
});
