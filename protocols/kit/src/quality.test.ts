import { expect, test } from 'vitest';
import { engineering, judge, rawOf, scaled } from './quality.ts';

test.each([
  ['a plain number', 230.1, undefined, undefined],
  ['zero', 0, {}, undefined],
  ['a number at the limit', 10, { min: 10, max: 10 }, undefined],
  ['NaN', NaN, undefined, 'NaN'],
  ['infinity', -Infinity, undefined, 'infinite'],
  ['a sentinel', 32767, { sentinels: [32767] }, '32767 means no measurement'],
  ['too little', -1, { min: 0 }, '-1 is outside 0..Infinity'],
  ['too much', 101, { max: 100 }, '101 is outside -Infinity..100'],
] as const)('judges %s', (_what, raw, limits, why) => {
  expect(judge(raw, limits)).toEqual(why === undefined ? { quality: 'good' } : { quality: 'bad', why });
});

test.each([
  [2301, 0.1, 230.1],
  [123456789, 0.001, 123456.789],
  [329488, 0.0001, 32.9488],
  [7, 1, 7],
  [9_007_199_254_740_991, 0.5, 4_503_599_627_370_495.5],
  [4_503_599_627_370_494, 2, 9_007_199_254_740_988],
  [0, -1, 0],
  [230.1, 0.1, 23.01],
  [3, 0.3, 0.9],
] as const)('scales %d by %d without binary noise', (raw, scale, value) => {
  expect(scaled(raw, scale)).toBe(value);
});

test.each([
  [2301, { scale: 0.1 }, 230.1],
  [250, { scale: 0.1, offset: -40 }, -15],
  [7, { scale: 1, offset: 0 }, 7],
  [Number.MAX_SAFE_INTEGER, { scale: 1 }, Number.MAX_SAFE_INTEGER],
  [9_007_199_254_740_989, { scale: 1, offset: 1 }, 9_007_199_254_740_990],
  [4_503_599_627_370_494, { scale: 2 }, 9_007_199_254_740_988],
  [3, { scale: 0.3 }, 0.9],
  [-7, { scale: -0.01, offset: 0.1 }, 0.17],
])('raw %s by %o shows as %s, and back', (raw, scaling, value) => {
  expect(engineering(raw, scaling)).toBe(value);
  expect(rawOf(value, scaling)).toBe(raw);
});
