import { describe, expect, test } from 'vitest';
import { engineering, registerUse, toCounts } from './sample.ts';

describe('engineering', () => {
  test.each([
    [1_234_567, 0.01, 12_345.67],
    [3, 0.1, 0.3],
    [99_999_999_999, 0.001, 99_999_999.999],
    [230.1, 1, 230.1],
    [null, 0.1, null],
  ])('%s counts of %s are %s', (counts, resolution, expected) => {
    expect(engineering(counts, resolution)).toBe(expected);
  });
});

describe('toCounts', () => {
  test.each([
    [123_456.7, 0.1, 1_234_567],
    [0.29, 0.01, 29],
    [123_456.78, 0.1, undefined],
    [1e17, 1, undefined],
  ])('%s shown at a resolution of %s is %s', (shown, resolution, expected) => {
    expect(toCounts(shown, resolution)).toBe(expected);
  });

  test('goes there and back', () => {
    for (let counts = 0; counts < 100_000; counts += 7)
      expect(toCounts(engineering(counts, 0.01)!, 0.01)).toBe(counts);
  });
});

describe('registerUse', () => {
  test.each([
    ['forwards', 100, 250, 150],
    ['standing still', 100, 100, 0],
    ['over the end of its digits', 9_999_000, 42_231, 1_000 + 42_231],
    ['backwards', 5_000_000, 4_999_999, null],
    ['back to zero in the middle', 5_000_000, 3, null],
  ])('%s', (_how, start, end, use) => {
    expect(registerUse(start, end)).toBe(use);
  });
});
