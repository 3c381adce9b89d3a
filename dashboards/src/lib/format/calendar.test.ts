import { expect, test } from 'vitest';
import { dayAt, dayText, intervalsOf, parseDay, recentHours, shift, spanOf, startOfDay } from './calendar.ts';

const hours = ({ from, to }: { from: number; to: number }) => (to - from) / 3_600_000;
const day = (text: string) => parseDay(text)!;

test("the day is the site's, not the reader's", () => {
  expect(dayText(dayAt(Date.parse('2026-11-22T16:30:00Z'), 'Asia/Shanghai'))).toBe('2026-11-23');
  expect(dayText(dayAt(Date.parse('2026-11-22T03:30:00Z'), 'America/New_York'))).toBe('2026-11-21');
});

test('a day begins at local midnight', () =>
  expect(new Date(startOfDay(day('2026-11-23'), 'Asia/Shanghai')).toISOString()).toBe(
    '2026-11-22T16:00:00.000Z',
  ));

test.each([
  ['2026-03-29', 'Europe/London', 23],
  ['2026-10-25', 'Europe/London', 25],
  ['2026-03-08', 'America/New_York', 23],
  ['2026-11-22', 'Asia/Shanghai', 24],
  // Lord Howe Island moves its clock by half an hour.
  ['2026-10-04', 'Australia/Lord_Howe', 23.5],
  // Beirut skips midnight itself: the day begins at 01:00.
  ['2026-03-29', 'Asia/Beirut', 23],
])('%s in %s has %d hours', (text, zone, length) =>
  expect(hours(spanOf('day', day(text), zone))).toBe(length),
);

test('a month and a year are whole', () => {
  expect(hours(spanOf('month', day('2028-02-10'), 'Asia/Shanghai'))).toBe(29 * 24);
  expect(hours(spanOf('year', day('2026-05-05'), 'Europe/London'))).toBe(365 * 24);
});

test('a period is cut where the site cuts it', () => {
  expect(intervalsOf('day', day('2026-10-25'), 'Europe/London')).toHaveLength(25);
  expect(intervalsOf('month', day('2026-11-22'), 'Asia/Shanghai')).toHaveLength(30);
  const months = intervalsOf('year', day('2026-11-22'), 'Europe/London');
  expect(months.map((at) => new Date(at).toISOString().slice(0, 13)).slice(2, 5)).toEqual([
    '2026-03-01T00',
    '2026-03-31T23',
    '2026-04-30T23',
  ]);
});

test("the last 24 hours are cut at the site's full hours", () => {
  // Kathmandu is 5 h 45 min ahead: its hours begin at a quarter past of ours.
  const { starts, to } = recentHours(Date.parse('2026-11-22T10:20:00Z'), 'Asia/Kathmandu');
  expect([starts[0]!, starts[23]!, to].map((at) => new Date(at).toISOString().slice(8, 16))).toEqual([
    '21T11:15',
    '22T10:15',
    '22T11:15',
  ]);
});

test('stepping back over a year lands on a first day', () => {
  expect(dayText(shift('month', day('2026-01-31'), -1))).toBe('2025-12-01');
  expect(dayText(shift('year', day('2026-06-15'), -1))).toBe('2025-01-01');
  expect(dayText(shift('day', day('2026-03-01'), -1))).toBe('2026-02-28');
});

test.each(['2026-02-30', '2026-13-01', 'yesterday', ''])('%s is not a day', (text) =>
  expect(parseDay(text)).toBeUndefined(),
);
