import { describe, expect, test } from 'vitest';
import { type Calendar, createGrid, dayType, intervalAt, startOf } from './calendar.ts';
import { formatLocal } from './local-time.ts';

const QUARTER = 900_000;
const berlin: Calendar = {
  timezone: 'Europe/Berlin',
  holidays: new Set(['2026-10-03', '2026-12-25']),
  adjustedWorkdays: new Set(['2026-10-10']),
};

describe('dayType', () => {
  test.each([
    ['2026-10-02', 'workday'],
    ['2026-10-03', 'holiday'],
    ['2026-10-04', 'weekend'],
    ['2026-10-10', 'workday'],
    ['2026-12-25', 'holiday'],
  ])('%s is a %s', (date, expected) => {
    expect(dayType(date, berlin)).toBe(expected);
  });
});

describe('createGrid', () => {
  test('an ordinary day has 96 quarter hours from midnight to midnight', () => {
    const grid = createGrid('2026-10-01', '2026-10-03', QUARTER, berlin);
    expect(grid.days.map(({ count, first }) => [count, first])).toEqual([
      [96, 0],
      [96, 96],
    ]);
    expect([grid.minuteOf[0], grid.minuteOf[34], grid.minuteOf[95]]).toEqual([0, 510, 1425]);
    expect(grid.dayOf[96]).toBe(1);
  });

  test('the day of 23 hours has 92 and skips the hour from 02:00', () => {
    const grid = createGrid('2026-03-29', '2026-03-30', QUARTER, berlin);
    expect(grid.count).toBe(92);
    expect([grid.minuteOf[7], grid.minuteOf[8]]).toEqual([105, 180]);
  });

  test('the day of 25 hours has 100 and repeats the hour from 02:00', () => {
    const grid = createGrid('2026-10-25', '2026-10-26', QUARTER, berlin);
    expect(grid.count).toBe(100);
    expect([grid.minuteOf[8], grid.minuteOf[12], grid.minuteOf[16]]).toEqual([120, 120, 180]);
    expect(formatLocal(startOf(grid, 8), grid.timezone)).toBe('2026-10-25T02:00:00+02:00');
    expect(formatLocal(startOf(grid, 12), grid.timezone)).toBe('2026-10-25T02:00:00+01:00');
  });

  test('a day that begins at 01:00 because midnight is skipped', () => {
    const grid = createGrid('2024-09-08', '2024-09-09', QUARTER, { ...berlin, timezone: 'America/Santiago' });
    expect(grid.count).toBe(92);
    expect(grid.minuteOf[0]).toBe(60);
  });

  test('a date that a zone jumped over has no intervals', () => {
    const grid = createGrid('2011-12-29', '2012-01-01', QUARTER, { ...berlin, timezone: 'Pacific/Apia' });
    expect(grid.days.map(({ date }) => date)).toEqual(['2011-12-29', '2011-12-31']);
  });

  test('a shift of half an hour needs intervals of half an hour or less', () => {
    const lordHowe = { ...berlin, timezone: 'Australia/Lord_Howe' };
    expect(createGrid('2026-04-05', '2026-04-06', 1_800_000, lordHowe).count).toBe(49);
    expect(() => createGrid('2026-04-05', '2026-04-06', 3_600_000, lordHowe)).toThrow('2026-04-05');
  });

  test('an instant finds its interval', () => {
    const grid = createGrid('2026-10-01', '2026-10-02', QUARTER, berlin);
    expect(intervalAt(grid, grid.start)).toBe(0);
    expect(intervalAt(grid, grid.start + QUARTER - 1)).toBe(0);
    expect(intervalAt(grid, grid.start - 1)).toBe(-1);
  });
});
