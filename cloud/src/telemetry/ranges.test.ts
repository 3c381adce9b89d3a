import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addAll, formatRanges, includes, parseRanges } from './ranges.ts';

test.each([
  ['{}', []],
  [
    '{[1,813),[905,991)}',
    [
      [1, 812],
      [905, 990],
    ],
  ],
])('reads %s', (text, ranges) => {
  expect(parseRanges(text)).toEqual(ranges);
});

test('writes what PostgreSQL reads', () => {
  expect(
    formatRanges([
      [1, 812],
      [905, 990],
    ]),
  ).toBe('{[1,812],[905,990]}');
});

test('holds exactly the numbers that were added, in any order and any number of times', () => {
  const seqs = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 });
  fc.assert(
    fc.property(seqs, seqs, (first, second) => {
      const ranges = addAll(addAll([], first), second);
      const added = new Set([...first, ...second]);
      for (let seq = 0; seq <= 62; seq += 1) expect(includes(ranges, seq)).toBe(added.has(seq));
      for (const [i, [from]] of ranges.entries())
        expect(from).toBeGreaterThan((ranges[i - 1]?.[1] ?? -1) + 1);
    }),
  );
});
