import type { Sample } from '@parkline/kit';
import { describe, expect, test } from 'vitest';
import { isBoundary, plausible, type ReportRule, shouldReport } from './report.ts';

const MINUTE = 60_000;
const noon = Date.UTC(2026, 10, 22, 12, 5);
const gauge: ReportRule = { kind: 'gauge', deadband: 0.5, heartbeatMs: MINUTE, pollMs: 5_000, every: false };
const register: ReportRule = { ...gauge, kind: 'register' };
const sample = (over: Partial<Sample> = {}): Sample => {
  const at = over.at ?? noon;
  return { pointId: 'p', at, beganAt: at, value: 21, quality: 'good', ...over };
};
const later = (ms: number, over: Partial<Sample> = {}): Sample => sample({ at: noon + ms, ...over });

describe('shouldReport', () => {
  test.each<[string, ReportRule, Sample | undefined, Sample, boolean]>([
    ['first sight of a point', gauge, undefined, sample(), true],
    ['inside the deadband', gauge, sample(), later(1, { value: 21.4 }), false],
    ['at the deadband', gauge, sample(), later(1, { value: 21.5 }), true],
    ['at the deadband, downwards', gauge, sample(), later(1, { value: 20.5 }), true],
    ['no change without a deadband', { ...gauge, deadband: 0 }, sample(), later(1), false],
    ['any change without a deadband', { ...gauge, deadband: 0 }, sample(), later(1, { value: 21.01 }), true],
    ['every reading asked for', { ...gauge, every: true }, sample(), later(1), true],
    ['quality fell', gauge, sample(), later(1, { quality: 'bad', value: null }), true],
    [
      'still bad',
      gauge,
      sample({ quality: 'bad', value: null }),
      later(1, { quality: 'bad', value: null }),
      false,
    ],
    [
      'still bad, past the heartbeat',
      gauge,
      sample({ quality: 'bad', value: null }),
      later(MINUTE, { quality: 'bad', value: null }),
      true,
    ],
    ['a value came without a change of quality', gauge, sample({ value: null }), later(1), true],
    ['still time for another reading', gauge, sample(), later(50_000), false],
    ['the next reading might come too late', gauge, sample(), later(55_000), true],
    ['the clock was set back', gauge, sample(), later(-3_600_000), true],
    ['a register moved by one count', register, sample(), later(1, { value: 22 }), true],
    ['a register stood still', register, sample(), later(1), false],
    ['a register at the quarter hour', register, sample(), later(10 * MINUTE), true],
    [
      'a state moved less than the deadband',
      { ...gauge, kind: 'state', deadband: 5 },
      sample({ value: 0 }),
      later(1, { value: 1 }),
      true,
    ],
    ['a state stood still', { ...gauge, kind: 'state' }, sample({ value: 0 }), later(1, { value: 0 }), false],
  ])('%s', (_why, rule, last, next, expected) => {
    expect(shouldReport(next, last, rule)).toBe(expected);
  });

  test('a boundary reading is sent even when the register stood still a moment ago', () => {
    const quarter = Date.UTC(2026, 10, 22, 12, 15);
    const last = sample({ at: quarter - 1_000 });
    expect(shouldReport(sample({ at: quarter + 9_000 }), last, register)).toBe(true);
    expect(shouldReport(sample({ at: quarter + 9_000 }), last, gauge)).toBe(false);
  });
});

describe('isBoundary', () => {
  const quarter = Date.UTC(2026, 10, 22, 12, 15);
  test.each([
    [0, true],
    [10_000, true],
    [10_001, false],
    [-1, false],
  ])('a register read begun %i ms after the quarter: %s', (ms, expected) => {
    expect(isBoundary(sample({ beganAt: quarter + ms }), 'register')).toBe(expected);
  });

  test('a gauge never stands for a boundary', () => {
    expect(isBoundary(sample({ beganAt: quarter }), 'gauge')).toBe(false);
  });
});

describe('plausible', () => {
  test.each([
    ['a good value stays', sample(), 'gauge', { value: 21, quality: 'good' }],
    [
      'a missing value stays missing',
      sample({ value: null, quality: 'bad' }),
      'gauge',
      { value: null, quality: 'bad' },
    ],
    ['NaN', sample({ value: NaN }), 'gauge', { value: null, quality: 'bad', why: 'not a number' }],
    ['infinity', sample({ value: -Infinity }), 'gauge', { value: null, quality: 'bad', why: 'not a number' }],
    [
      'the largest exact count',
      sample({ value: 2 ** 53 - 1 }),
      'register',
      { value: 2 ** 53 - 1, quality: 'good' },
    ],
    [
      'a count beyond exactness',
      sample({ value: 2 ** 53 }),
      'register',
      { value: null, quality: 'bad', why: 'above 2^53' },
    ],
    ['a large gauge', sample({ value: 2 ** 60 }), 'gauge', { value: 2 ** 60, quality: 'good' }],
  ] as const)('%s', (_why, input, kind, expected) => {
    expect(plausible(input, kind)).toMatchObject(expected);
  });
});
