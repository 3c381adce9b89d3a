import { expect, test } from 'vitest';
import { formatDecimal, formatMoney, fromCents, sumAmounts, toCents } from './money.ts';

test.each([
  ['0.00', 0n],
  ['-12.30', -1230n],
  ['7', 700n],
  ['0.5', 50n],
  ['97034.43', 9703443n],
  ['-0.02', -2n],
])('%s is %s cents', (amount, cents) => expect(toCents(amount)).toBe(cents));

test('cents come back as the amount they were', () => {
  for (const amount of ['0.00', '-0.02', '-12.30', '97034.43'])
    expect(fromCents(toCents(amount))).toBe(amount);
});

test('what is no amount of money is refused', () => {
  for (const wrong of ['', '1.234', '1e3', '1,00', 'NaN']) expect(() => toCents(wrong)).toThrow(RangeError);
});

test('a sum is exact where floats are not', () => {
  expect(sumAmounts(['0.10', '0.20', '-0.30'])).toBe('0.00');
  expect(sumAmounts(['41925.56', '29493.95', '14054.35', '7386.70', '4173.87'])).toBe('97034.43');
  expect(sumAmounts([])).toBe('0.00');
});

test('amounts beyond what a float holds are shown to the cent', () =>
  expect(formatMoney('90071992547409931.37', 'CNY', 'en')).toBe('¥90,071,992,547,409,931.37'));

test('a price keeps the places it came with', () => {
  expect(formatMoney('0.1830', 'CNY', 'en')).toBe('¥0.1830');
  expect(formatMoney('1234.5', 'CNY', 'en')).toBe('¥1,234.50');
});

test('a decimal keeps the places it came with', () => {
  expect(formatDecimal('3527.20', 'en')).toBe('3,527.20');
  expect(formatDecimal('0.1830', 'zh-CN')).toBe('0.1830');
  expect(formatDecimal('-41', 'en')).toBe('-41');
});
