import { expect, test } from 'vitest';
import { isDisplay, localMinute, ratioOf } from './proof.ts';

test('a ratio is written as on the nameplate or as one number', () => {
  expect(['200/5', ' 40 ', '10000:100', '1'].map(ratioOf)).toEqual(['40', '40', '100', '1']);
  expect(['', '5/0', '0', '-4', '1e3', '200/'].map(ratioOf)).toEqual(Array(6).fill(undefined));
});

test('a display shows digits and a point', () => {
  expect(['0.00', '1203.40', '7'].every(isDisplay)).toBe(true);
  expect(['007', '1,5', '.5', '1.', '-1', ''].some(isDisplay)).toBe(false);
});

test('the minute is that of the site', () => {
  const at = Date.parse('2026-11-22T16:05:30Z');
  expect(localMinute(at, 'Asia/Shanghai')).toBe('2026-11-23T00:05');
  expect(localMinute(at, 'UTC')).toBe('2026-11-22T16:05');
});
