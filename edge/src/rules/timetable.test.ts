import { expect, test } from 'vitest';
import { createTimetable } from './timetable.ts';

const schedule = (key: string, cron: string) => ({ key, cron, point: 'p', value: 1 });
const iso = (ms: number) => new Date(ms).toISOString();

test('seven in the morning is seven by the clock of the site, before and after it changes', () => {
  const timetable = createTimetable([schedule('on', '0 7 * * *')], 'Europe/Berlin');
  // Summer time ends on 25 October 2026 at 01:00 UTC.
  const first = timetable.next(Date.parse('2026-10-24T00:00:00Z'));
  expect([first, timetable.next(first)].map(iso)).toEqual([
    '2026-10-24T05:00:00.000Z',
    '2026-10-25T06:00:00.000Z',
  ]);
});

test('a span has its end and not its beginning, and each schedule once', () => {
  const timetable = createTimetable([schedule('hourly', '0 * * * *'), schedule('noon', '0 12 * * *')], 'UTC');
  const at = (time: string) => Date.parse(`2026-11-22T${time}:00Z`);
  const keys = (from: string, to: string) =>
    timetable
      .between(at(from), at(to))
      .map(({ schedule: { key }, at: due }) => `${key} ${iso(due).slice(11, 16)}`);
  expect(keys('11:00', '12:00')).toEqual(['hourly 12:00', 'noon 12:00']);
  expect(keys('12:00', '12:30')).toEqual([]);
  expect(keys('08:10', '12:30')).toEqual(['hourly 12:00', 'noon 12:00']);
});

test('nothing to do is never due', () => {
  expect(createTimetable([], 'UTC').next(0)).toBe(Infinity);
});

test.each(['every day', '0 7 * *', '61 7 * * *', '* * * * * *'])(
  '%s is no pattern, and its schedule is named',
  (cron) => {
    expect(() => createTimetable([schedule('morning', cron)], 'UTC')).toThrow(/schedule morning: cron/);
  },
);
