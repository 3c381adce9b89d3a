import { expect, test } from 'vitest';
import { decimalsFor, formatBytes, formatNumber, formatQuantity } from './number.ts';

test('a number keeps its decimals, so that a column does not dance', () => {
  expect(formatNumber(21.4, 2, 'en')).toBe('21.40');
  expect(formatNumber(12345.6, 1, 'zh-CN')).toBe('12,345.6');
});

test('a value rounded to nothing has no minus sign', () => {
  expect(formatNumber(-0.04, 1, 'en')).toBe('0.0');
  expect(formatNumber(-0.06, 1, 'en')).toBe('-0.1');
});

test('unit follows after a thin space, a ratio stands alone, a missing value is a dash', () => {
  expect(formatQuantity(3, 'kW', 1, 'en')).toBe('3.0\u202fkW');
  expect(formatQuantity(0.98, '1', 2, 'en')).toBe('0.98');
  expect(formatQuantity(null, 'kW', 1, 'en')).toBe('—');
});

test.each([
  [0, 0],
  [3.14159, 2],
  [31.4, 1],
  [314, 0],
])('%d is shown with %d decimals', (size, decimals) => expect(decimalsFor(size)).toBe(decimals));

test('sizes on disk', () => {
  expect(formatBytes(0, 'en')).toBe('0\u202fB');
  expect(formatBytes(1_536, 'en')).toBe('1.5\u202fKiB');
  expect(formatBytes(536_870_912, 'en')).toBe('512\u202fMiB');
});
