import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { divideHalfUp, formatUnits, parseDecimal, toUnits, trimDecimal } from './decimal.ts';

describe('parseDecimal', () => {
  test.each([
    ['12.30', 1230n, 2],
    ['-0.0075', -75n, 4],
    ['+7', 7n, 0],
    ['1.5e2', 150n, 0],
    ['1.5E-2', 15n, 3],
    ['0', 0n, 0],
  ])('reads %s exactly', (text, units, scale) => {
    expect(parseDecimal(text)).toEqual({ units, scale });
  });

  test.each(['', '.5', '5.', '1,5', 'NaN', '0x10', ' 1', '1e', '1e-61', '1'.repeat(61)])(
    'refuses %j',
    (text) => {
      expect(parseDecimal(text)).toBeUndefined();
    },
  );
});

describe('toUnits', () => {
  test.each([
    ['6500', 2, 650000n],
    ['6500.500', 2, 650050n],
    ['6500.505', 2, undefined],
    ['-1.5', 1, -15n],
  ])('%s in steps of 10^-%i', (text, scale, expected) => {
    expect(toUnits(parseDecimal(text)!, scale)).toBe(expected);
  });
});

describe('divideHalfUp', () => {
  test.each([
    [5n, 10n, 1n],
    [-5n, 10n, -1n],
    [4n, 10n, 0n],
    [-4n, 10n, 0n],
    [15n, 10n, 2n],
    [25n, 10n, 3n],
    [0n, 7n, 0n],
  ])('%s / %s is %s: half goes away from zero', (numerator, denominator, expected) => {
    expect(divideHalfUp(numerator, denominator)).toBe(expected);
  });

  test('1.50 kWh at 0.6700 costs 1.01, where a float says 1.00', () => {
    expect(divideHalfUp(150n * 6700n, 10_000n)).toBe(101n);
    expect((1.005).toFixed(2)).toBe('1.00');
  });

  test('the result is never more than half a step away', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt({ min: 1n, max: 10n ** 12n }), (numerator, denominator) => {
        const off = divideHalfUp(numerator, denominator) * denominator - numerator;
        return 2n * (off < 0n ? -off : off) <= denominator;
      }),
    );
  });
});

describe('formatUnits', () => {
  test.each([
    [1230n, 2, undefined, '12.30'],
    [-5n, 2, undefined, '-0.05'],
    [0n, 2, undefined, '0.00'],
    [15400n, 3, 2, '15.40'],
    [15401n, 3, 2, '15.401'],
    [42n, 0, undefined, '42'],
  ])('%s x 10^-%i with at least %s digits is %s', (units, scale, digits, expected) => {
    expect(formatUnits(units, scale, digits)).toBe(expected);
  });

  test('what is printed reads back as the same value', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.integer({ min: 0, max: 20 }), (units, scale) => {
        const back = parseDecimal(formatUnits(units % 10n ** 30n, scale));
        return back !== undefined && toUnits(back, scale) === units % 10n ** 30n;
      }),
    );
  });
});

test('trimDecimal drops zeros at the end only', () => {
  expect(trimDecimal({ units: 1500n, scale: 3 })).toEqual({ units: 15n, scale: 1 });
  expect(trimDecimal({ units: 100n, scale: 0 })).toEqual({ units: 100n, scale: 0 });
});
