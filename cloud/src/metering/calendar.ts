import { addDays, localAt, startOfDate, weekday } from './local-time.ts';

export type DayType = 'workday' | 'weekend' | 'holiday';

export interface Calendar {
  readonly timezone: string;
  /** Local dates, YYYY-MM-DD. */
  readonly holidays: ReadonlySet<string>;
  /** Weekend dates that are worked to make up for a holiday. */
  readonly adjustedWorkdays: ReadonlySet<string>;
}

export interface Day {
  readonly date: string;
  readonly type: DayType;
  /** Unix ms of its first instant. */
  readonly start: number;
  /** Index of its first interval in the grid. */
  readonly first: number;
  /** 96 quarter hours on most days, 92 or 100 when the clock changes. */
  readonly count: number;
}

/** Equal intervals over whole local days. Interval i is [start + i x intervalMs, start + (i + 1) x intervalMs). */
export interface Grid {
  readonly timezone: string;
  /** Unix ms. */
  readonly start: number;
  readonly intervalMs: number;
  readonly count: number;
  readonly days: readonly Day[];
  /** Index into `days` of each interval. */
  readonly dayOf: Int32Array;
  /** Local minute of the day (0..1439) at which each interval starts. */
  readonly minuteOf: Int16Array;
}

export function dayType(date: string, { holidays, adjustedWorkdays }: Calendar): DayType {
  if (holidays.has(date)) return 'holiday';
  return weekday(date) >= 6 && !adjustedWorkdays.has(date) ? 'weekend' : 'workday';
}

/**
 * Lays the intervals over the local dates [from, to).
 * @throws RangeError when a day is no whole number of intervals long.
 */
export function createGrid(from: string, to: string, intervalMs: number, calendar: Calendar): Grid {
  const { timezone } = calendar;
  const days = listDays(from, to, intervalMs, calendar);
  const count = days.reduce((sum, day) => sum + day.count, 0);
  const dayOf = new Int32Array(count);
  const minuteOf = new Int16Array(count);
  days.forEach((day, index) => {
    dayOf.fill(index, day.first, day.first + day.count);
    const ordinary = day.count * intervalMs === 86_400_000 && localAt(day.start, timezone).minute === 0;
    for (let k = 0; k < day.count; k += 1) {
      const minute = (k * intervalMs) / 60_000;
      minuteOf[day.first + k] = ordinary ? minute : localAt(day.start + k * intervalMs, timezone).minute;
    }
  });
  return { timezone, start: startOfDate(from, timezone), intervalMs, count, days, dayOf, minuteOf };
}

/** The interval that an instant lies in; below 0 or past `count` outside the grid. */
export function intervalAt(grid: Grid, ms: number): number {
  return Math.floor((ms - grid.start) / grid.intervalMs);
}

export function startOf(grid: Grid, interval: number): number {
  return grid.start + interval * grid.intervalMs;
}

function listDays(from: string, to: string, intervalMs: number, calendar: Calendar): Day[] {
  const days: Day[] = [];
  let first = 0;
  for (let date = from; date < to;) {
    const next = addDays(date, 1);
    const start = startOfDate(date, calendar.timezone);
    const count = (startOfDate(next, calendar.timezone) - start) / intervalMs;
    if (!Number.isInteger(count)) throw new RangeError(`${date} is not a whole number of intervals long`);
    // A zone that jumps over the date line has a date without any instant.
    if (count > 0) days.push({ date, type: dayType(date, calendar), start, first, count });
    first += count;
    date = next;
  }
  return days;
}
