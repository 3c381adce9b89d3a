import { describe, expect, test } from 'vitest';
import { parseDecimal } from '../metering/index.ts';
import { formatCents } from './present.ts';
import { priceSteps, type Step } from './step-tariff.ts';

const d = (text: string) => parseDecimal(text)!;
const water: Step[] = [
  { upTo: d('100'), price: d('3.15') },
  { upTo: d('200'), price: d('4.20') },
  { upTo: null, price: d('5.60') },
];

describe('priceSteps', () => {
  test('prices each step by itself', () => {
    const { steps, total } = priceSteps(d('231.40'), water, 31, 31);
    expect(steps.map(({ cents }) => formatCents(cents))).toEqual(['315.00', '420.00', '175.84']);
    expect(formatCents(total)).toBe('910.84');
  });

  test('limits follow the days of a tenant, rounded before use', () => {
    const { steps, total } = priceSteps(d('88.00'), water, 21, 31);
    expect(steps.map(({ limit, quantity, cents }) => [limit, quantity, formatCents(cents)])).toEqual([
      [6774n, 6774n, '213.38'],
      [13548n, 2026n, '85.09'],
      [null, 0n, '0.00'],
    ]);
    expect(formatCents(total)).toBe('298.47');
  });

  test.each([
    ['exactly a limit', '100', '315.00'],
    ['one hundredth above', '100.01', '315.04'],
    ['nothing', '0', '0.00'],
  ])('%s', (_why, quantity, expected) => {
    expect(formatCents(priceSteps(d(quantity), water, 31, 31).total)).toBe(expected);
  });

  test.each<[string, string, Step[], number]>([
    ['finer than hundredths', '1.001', water, 31],
    ['negative', '-1', water, 31],
    ['more days than the period has', '1', water, 32],
    ['a last step with a limit', '1', water.slice(0, 2), 31],
    ['a step without a limit before the last', '1', [water[2]!, water[2]!], 31],
    ['limits that fall', '1', [water[1]!, water[0]!, water[2]!], 31],
  ])('refuses what is %s', (_why, quantity, steps, days) => {
    expect(() => priceSteps(d(quantity), steps, days, 31)).toThrow(RangeError);
  });
});
