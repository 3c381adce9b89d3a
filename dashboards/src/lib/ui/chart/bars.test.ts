import { expect, test } from 'vitest';
import { toBars, totalOf } from './bars.ts';

const hour = 3_600_000;
const item = (at: number, value: number | null, over = {}) => ({
  at: new Date(at * hour).toISOString(),
  value,
  quality: 'good' as const,
  ...over,
});

test('every interval has a bar: known, missing, running or still to come', () => {
  const bars = toBars(
    [0, hour, 2 * hour, 3 * hour, 4 * hour],
    5 * hour,
    [item(0, 5, { simulated: true }), item(2, null), item(3, 1, { quality: 'uncertain' })],
    3.5 * hour,
  );
  expect(bars.map(({ state, value }) => [state, value])).toEqual([
    ['whole', 5],
    ['missing', null],
    ['missing', null],
    ['running', 1],
    ['future', null],
  ]);
  expect([bars[0]!.simulated, bars[3]!.uncertain]).toEqual([true, true]);
  expect(totalOf(bars)).toEqual({ sum: 6, known: 2, missing: 2 });
});

test('nothing known is no sum', () => expect(totalOf([])).toEqual({ sum: null, known: 0, missing: 0 }));
