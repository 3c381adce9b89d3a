import { expect, test } from 'vitest';
import { formatSpan, formatTime, formatZone } from './time.ts';

const at = Date.parse('2026-11-22T16:02:05Z');

test("an instant is shown on the site's clock", () => {
  expect(formatTime(at, 'time', 'en', 'Asia/Shanghai')).toBe('00:02');
  expect(formatTime(at, 'timeExact', 'en', 'Europe/London')).toBe('16:02:05');
  expect(formatTime(at, 'day', 'zh-CN', 'Asia/Shanghai')).toBe('11月23日');
});

test('the zone has a name', () => expect(formatZone(at, 'en', 'Asia/Shanghai')).toBe('GMT+8'));

test.each([
  [-500, '0 sec'],
  [45_900, '45 sec'],
  [3 * 60_000 + 59_000, '3 min'],
  [47 * 3_600_000, '47 hr'],
  [48 * 3_600_000, '2 days'],
])('%d ms is %s', (ms, text) => expect(formatSpan(ms, 'en')).toBe(text));

test('a span in Chinese', () => expect(formatSpan(180_000, 'zh-CN')).toBe('3\u00a0分钟'));
