import { describe, expect, test } from 'vitest';
import { isOnBoundary, nextTick, quarterAfter } from './schedule.ts';

describe('nextTick', () => {
  test.each([
    ['before the first', 500, 0, 500],
    ['on a tick, the one after', 500, 500, 1_500],
    ['between two', 500, 1_499, 1_500],
    ['many missed: only the next', 500, 9_700, 10_500],
  ])('%s', (_why, origin, now, expected) => {
    expect(nextTick(origin, 1_000, now)).toBe(expected);
  });

  test('never drifts, however late each tick is served', () => {
    let now = 0;
    for (let i = 0; i < 1_000; i += 1) now = nextTick(0, 1_000, now) + 999 * ((i % 7) / 7);
    expect(Math.floor(now / 1_000)).toBe(1_000);
  });
});

test.each([
  ['2026-11-22T12:14:59.999Z', '2026-11-22T12:15:00.000Z'],
  ['2026-11-22T12:15:00.000Z', '2026-11-22T12:30:00.000Z'],
  ['2026-12-31T23:59:00.000Z', '2027-01-01T00:00:00.000Z'],
])('the quarter after %s is %s', (at, expected) => {
  expect(new Date(quarterAfter(Date.parse(at))).toISOString()).toBe(expected);
});

test.each([
  ['12:15:00.000', true],
  ['12:15:10.000', true],
  ['12:15:10.001', false],
  ['12:14:59.999', false],
])('a read begun at %s stands for a quarter: %s', (time, expected) => {
  expect(isOnBoundary(Date.parse(`2026-11-22T${time}Z`))).toBe(expected);
});
