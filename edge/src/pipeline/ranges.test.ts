import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { areOrdered, complement, covers, type Range } from './ranges.ts';

/** Ranges out of a set of numbers, the slow and obvious way. */
const rangesOf = (set: ReadonlySet<number>): Range[] => {
  const ranges: [number, number][] = [];
  for (const n of [...set].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === n - 1) last[1] = n;
    else ranges.push([n, n]);
  }
  return ranges;
};

test.each<[string, Range[], boolean]>([
  ['nothing', [], true],
  ['one', [[1, 812]], true],
  [
    'two',
    [
      [1, 812],
      [905, 990],
    ],
    true,
  ],
  ['ends swapped', [[5, 4]], false],
  [
    'overlapping',
    [
      [1, 5],
      [5, 9],
    ],
    false,
  ],
  [
    'descending',
    [
      [7, 9],
      [1, 2],
    ],
    false,
  ],
  ['below one', [[0, 2]], false],
])('order of %s', (_why, ranges, expected) => {
  expect(areOrdered(ranges)).toBe(expected);
});

describe('against a plain set', () => {
  const sets = fc.uniqueArray(fc.integer({ min: 1, max: 40 })).map((numbers) => new Set(numbers));

  test('covers says what is in', () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 1, max: 42 }), (set, n) => {
        expect(covers(rangesOf(set), n)).toBe(set.has(n));
      }),
    );
  });

  test('the complement is what is out, up to the last', () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 0, max: 42 }), (set, last) => {
        const out = new Set(Array.from({ length: last }, (_, i) => i + 1).filter((n) => !set.has(n)));
        expect(complement(rangesOf(set), last)).toEqual(rangesOf(out));
      }),
    );
  });
});
