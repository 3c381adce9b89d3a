import { describe, expect, test } from 'vitest';
import { isDate, isTimeZone, monthOf, parseInstant } from './local-time.ts';

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

describe('monthOf', () => {
  const of = (at: string, zone: string) => {
    const { month, ...times } = monthOf(Date.parse(at), zone);
    const [start, today, lastStart, lastEnd] = [times.start, times.today, times.lastStart, times.lastEnd].map(
      (ms) => new Date(ms).toISOString(),
    );
    return [month, start, today, lastStart, lastEnd];
  };

  test.each([
    [
      'in the middle',
      ...['2026-11-22T10:00:00Z', 'Asia/Shanghai', '2026-11', '2026-10-31T16:00:00.000Z'],
      ...['2026-11-21T16:00:00.000Z', '2026-09-30T16:00:00.000Z', '2026-10-22T10:00:00.000Z'],
    ],
    [
      'over a clock change by the hour on the wall',
      ...['2026-11-22T10:00:00Z', 'Europe/Berlin', '2026-11', '2026-10-31T23:00:00.000Z'],
      ...['2026-11-21T23:00:00.000Z', '2026-09-30T22:00:00.000Z', '2026-10-22T09:00:00.000Z'],
    ],
    [
      'on a day that last month did not have: all of it',
      ...['2026-03-31T10:00:00Z', 'UTC', '2026-03', '2026-03-01T00:00:00.000Z'],
      ...['2026-03-31T00:00:00.000Z', '2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
    ],
    [
      'in January',
      ...['2026-01-01T00:30:00Z', 'UTC', '2026-01', '2026-01-01T00:00:00.000Z'],
      ...['2026-01-01T00:00:00.000Z', '2025-12-01T00:00:00.000Z', '2025-12-01T00:30:00.000Z'],
    ],
  ])('%s', (_when, at, zone, ...expected) => {
    expect(of(at!, zone!)).toEqual(expected);
  });
});
