import { expect, test } from 'vitest';
import { findGaps, labelEvery, niceTicks, toColumns } from './scale.ts';

test.each([
  [0, 97, [0, 50, 100]],
  [0, 0.3, [0, 0.1, 0.2, 0.3]],
  [0, 0, [0, 0.5]],
  [219, 232, [215, 220, 225, 230, 235]],
  [-3, 5, [-4, -2, 0, 2, 4, 6]],
  [5, 5, [4, 6]],
])('ticks over %d to %d', (min, max, ticks) => expect(niceTicks(min, max)).toEqual(ticks));

test('labels do not overlap', () => {
  expect(labelEvery(24, 960, 40)).toBe(1);
  expect(labelEvery(31, 300, 30)).toBe(4);
});

const at = (seconds: number, value: number | null = 1) => ({ at: seconds * 1_000, value });
const window = { from: 0, to: 100_000 };

test('a value holds until it is stale', () => {
  expect(findGaps([at(0), at(60), at(95)], 70_000, window)).toEqual([]);
  expect(findGaps([at(0), at(80)], 70_000, window)).toEqual([{ from: 0, to: 80_000 }]);
});

test('nothing, a late beginning and an early end are gaps', () => {
  expect(findGaps([], 10_000, window)).toEqual([window]);
  expect(findGaps([at(50)], 20_000, window)).toEqual([{ from: 0, to: 100_000 }]);
  expect(findGaps([at(5), at(12)], 10_000, window)).toEqual([{ from: 12_000, to: 100_000 }]);
});

test('a failed reading is a gap until the next good one, and gaps that touch are one', () => {
  expect(findGaps([at(0), at(5, null), at(8, null), at(9), at(95)], 90_000, window)).toEqual([
    { from: 5_000, to: 9_000 },
  ]);
});

test('the line breaks at a gap and otherwise goes on to now', () => {
  const points = [at(0, 1), at(10, 2), at(90, 3)];
  const gaps = findGaps(points, 20_000, window);
  expect(toColumns(points, gaps, window.to)).toEqual([
    [0, 10, 10.001, 90, 100],
    [1, 2, null, 3, 3],
    [null, null, null, null, null],
  ]);
});

test('simulated values are a line of their own', () => {
  expect(toColumns([{ ...at(0, 1), simulated: true }, at(50, 2)], [], 50_000)).toEqual([
    [0, 50],
    [null, 2],
    [1, null],
  ]);
});
