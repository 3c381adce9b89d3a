import { describe, expect, test } from 'vitest';
import { isDate, isTimeZone, parseInstant } from './local-time.ts';

const utc = (text: string): number => Date.parse(text);

describe('parseInstant', () => {
  test.each([
    ['a date is its first local instant', '2026-10-01', '2026-09-30T16:00:00Z'],
    ['an offset is obeyed', '2026-10-16T10:07:00+08:00', '2026-10-16T02:07:00Z'],
    ['another offset too', '2026-10-16T02:07:00+00:00', '2026-10-16T02:07:00Z'],
    ['Z', '2026-10-16T02:07:03.5Z', '2026-10-16T02:07:03.500Z'],
    ['none is local', '2026-10-16T10:07', '2026-10-16T02:07:00Z'],
  ])('%s', (_why, text, expected) => {
    expect(parseInstant(text, 'Asia/Shanghai')).toBe(utc(expected));
  });

  test.each([
    '',
    'yesterday',
    '2026-02-30',
    '2026-02-30T00:00:00Z',
    '2026-10-01T25:00:00Z',
    '20261001',
    '2026-10-01 00:00',
  ])('refuses %j', (text) => {
    expect(parseInstant(text, 'Asia/Shanghai')).toBeUndefined();
  });

  test('a local time that a clock change repeats or skips names no one instant', () => {
    expect(parseInstant('2026-10-25T02:30', 'Europe/Berlin')).toBeUndefined();
    expect(parseInstant('2026-03-29T02:30', 'Europe/Berlin')).toBeUndefined();
    expect(parseInstant('2026-10-25T02:30:00+01:00', 'Europe/Berlin')).toBe(utc('2026-10-25T01:30:00Z'));
  });
});

test('dates and zones are known or not', () => {
  expect([isDate('2024-02-29'), isDate('2026-02-29'), isDate('2026-2-9')]).toEqual([true, false, false]);
  expect([isTimeZone('Asia/Shanghai'), isTimeZone('Mars/Olympus')]).toEqual([true, false]);
});
