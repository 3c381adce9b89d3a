import { type Calendar, createGrid, type Grid } from './calendar.ts';
import type { Installation, Reading } from './registers.ts';
import { createSeries, type Series } from './series.ts';

export const HOUR = 3_600_000;
export const calendar: Calendar = { timezone: 'UTC', holidays: new Set(), adjustedWorkdays: new Set() };
/** Monday to Friday, hour by hour. */
export const week = createGrid('2026-06-01', '2026-06-06', HOUR, calendar);
export const all = { first: 0, last: week.count };

export const at = (hour: number, ms = 0): number => week.start + hour * HOUR + ms;
export const installed = (over: Partial<Installation> = {}): Installation => ({
  meterId: 'm',
  field: 'installations[0]',
  from: week.start,
  to: null,
  decimals: 1,
  modulus: 10_000n,
  energyPerCount: 10n,
  maxCountsPerInterval: 100n,
  ...over,
});

/** Registers at each full hour, starting at `start`, with `counts(hour)` flowing in each. */
export function readHourly(
  counts: (hour: number) => number,
  start = 0,
  grid: Grid = week,
  modulus = 10_000,
): Reading[] {
  const readings: Reading[] = [];
  for (let hour = 0, total = start; hour <= grid.count; total += counts(hour), hour += 1)
    readings.push({ at: at(hour), counts: BigInt(total % modulus), row: hour + 2 });
  return readings;
}

export const without = (readings: readonly Reading[], ...hours: number[]): Reading[] =>
  readings.filter((reading) => !hours.some((hour) => reading.at === at(hour)));

export function series(readings: readonly Reading[], installation = installed()): Series {
  const result = createSeries([installation], () => readings, week, all);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.value;
}

export function faultsOf(readings: readonly Reading[], ...installations: Installation[]): string[] {
  const result = createSeries(installations, () => readings, week, all);
  return result.ok
    ? []
    : result.faults.map(({ field, row, message }) => `${field ?? ''} ${row ?? ''} ${message}`);
}

export const flagged = ({ quality, rule, energy }: Series): unknown[] =>
  rule.flatMap((text, hour) => (text ? [[hour, energy[hour], quality[hour], text]] : []));
