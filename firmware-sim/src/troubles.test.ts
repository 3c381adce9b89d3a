import { expect, test } from 'vitest';
import { createTrouble, joined, noTroubles, type Span, standingStill } from './troubles.ts';

const trouble = createTrouble(() => [
  [100, 200],
  [300, Infinity],
]);

test.each([
  [99, undefined],
  [100, 100],
  [199, 100],
  [200, undefined],
  [1e9, 300],
])('at %d it has lasted since %s', (t, since) => {
  expect(trouble.since(t)).toBe(since);
});

test('a consequence grows towards 1 while it lasts and fades afterwards, without a step', () => {
  expect(trouble.level(100, 50, 20)).toBe(0);
  expect(trouble.level(200, 50, 20)).toBeCloseTo(1 - Math.exp(-2), 12);
  expect(trouble.level(240, 50, 20)).toBeCloseTo((1 - Math.exp(-2)) * Math.exp(-2), 12);
  expect(trouble.level(300 - 1e-9, 50, 20)).toBeCloseTo(trouble.level(300, 50, 20), 9);
  expect(trouble.level(5_000, 50, 20)).toBeCloseTo(1, 12);
});

test('nothing is wrong where nothing was begun', () => {
  const never = noTroubles('ahu', 'fan-fails');
  expect([never.since(5), never.level(5, 1, 1), never.spans()]).toEqual([undefined, 0, []]);
});

test('a total stands still during each span', () => {
  const total = standingStill(trouble, (t) => t * 2);
  expect([50, 100, 150, 200, 250, 300, 900].map(total)).toEqual([100, 200, 200, 200, 300, 400, 400]);
});

test('spans that overlap or touch become one', () => {
  const spans: Span[] = [
    [50, 60],
    [10, 20],
    [20, 25],
    [12, 14],
    [55, Infinity],
  ];
  expect(joined(spans)).toEqual([
    [10, 25],
    [50, Infinity],
  ]);
});
