import { describe, expect, test } from 'vitest';
import { createGrid } from './calendar.ts';
import { createSeries } from './series.ts';
import {
  HOUR,
  calendar,
  week,
  all,
  at,
  installed,
  readHourly,
  without,
  series,
  faultsOf,
  flagged,
} from './testing.ts';

describe('gaps', () => {
  test('the known difference is spread by the like day, the largest remainder first', () => {
    const pattern = (hour: number): number => (hour < 24 ? [4, 1, 3][hour % 3]! : 3);
    const found = series(without(readHourly(pattern), 31, 32));
    // 9 counts by 1:3:4.
    expect(flagged(found)).toEqual([
      [30, 50n, 'E', 'missing:like-day'],
      [31, 10n, 'E', 'missing:like-day'],
      [32, 30n, 'E', 'missing:like-day'],
    ]);
  });

  test('the like day skips other types of day and days with a gap of their own', () => {
    const holiday = { ...calendar, holidays: new Set(['2026-06-03']) };
    const grid = createGrid('2026-06-01', '2026-06-06', HOUR, holiday);
    const counts = (hour: number): number => [1, 2, 3, 6, 0][Math.floor(hour / 24)]! * (1 + (hour % 2));
    const readings = without(readHourly(counts), 25, 73);
    const result = createSeries([installed()], () => readings, grid, all);
    // Tuesday looks at Monday; Thursday skips the holiday and Tuesday's gap.
    expect(result.ok && flagged(result.value)).toEqual([
      [24, 20n, 'E', 'missing:like-day'],
      [25, 40n, 'E', 'missing:like-day'],
      [72, 60n, 'E', 'missing:like-day'],
      [73, 120n, 'E', 'missing:like-day'],
    ]);
  });

  test('a gap over midnight takes each date from its own like day', () => {
    const counts = (hour: number): number => (hour < 24 ? (hour === 23 ? 8 : 2) : hour < 48 ? 4 : 5);
    const found = series(without(readHourly(counts), 48));
    // 23:00 on Tuesday by Monday (8), 00:00 on Wednesday by Tuesday (4): 9 counts 6 and 3.
    expect(found.energy.slice(47, 49)).toEqual([60n, 30n]);
  });

  test.each([
    ['there is no earlier like day', () => 3, [1, 2]],
    ['the like day used nothing', (hour: number) => (hour < 24 ? 0 : 3), [25, 26]],
  ])('is spread evenly where %s', (_why, counts, gap) => {
    const found = series(without(readHourly(counts), ...gap));
    expect(flagged(found).map((row) => (row as unknown[]).slice(1))).toEqual(
      Array(3).fill([30n, 'E', 'missing:evenly']),
    );
  });

  test('without a later register each interval gets the mean of its earlier like days', () => {
    const readings = readHourly((hour) => 2 + Math.floor(hour / 24)).filter(
      (reading) => reading.at <= at(118),
    );
    expect(flagged(series(readings))).toEqual([
      [118, 40n, 'E', 'missing:like-day-mean'],
      [119, 40n, 'E', 'missing:like-day-mean'],
    ]);
  });

  test('without an earlier register the later like days are all there is', () => {
    const readings = readHourly(() => 3).filter((reading) => reading.at >= at(1));
    expect(flagged(series(readings))).toEqual([[0, 30n, 'E', 'missing:like-day-mean']]);
  });

  test('nothing to learn from is a fault', () => {
    expect(faultsOf(readHourly(() => 3).slice(5, 9), installed())).toEqual([
      expect.stringContaining('no like day to estimate it from'),
      expect.stringContaining('no like day to estimate it from'),
    ]);
  });

  test('outside the billed intervals nothing is guessed', () => {
    const readings = readHourly(() => 3).filter((reading) => reading.at <= at(100));
    const result = createSeries([installed()], () => readings, week, { first: 24, last: 100 });
    expect(result.ok && [result.value.quality[99], result.value.quality[100]]).toEqual(['M', undefined]);
  });
});

describe('the day of 25 hours', () => {
  test('takes both passes of the repeated hour from the one hour of the like day', () => {
    const berlin = { ...calendar, timezone: 'Europe/Berlin' };
    // Saturday and the Sunday on which clocks go back.
    const grid = createGrid('2026-10-24', '2026-10-26', HOUR, berlin);
    const readings = Array.from({ length: 50 }, (_, hour) => ({
      at: grid.start + hour * HOUR,
      counts: BigInt(hour * 5 - (hour > 2 ? 3 : 0)),
      row: hour + 2,
    })).filter((_, hour) => hour < 26 || hour > 28);
    const result = createSeries([installed()], () => readings, grid, { first: 0, last: grid.count });
    // 01:00 by 5, 02:00 twice by 2, 03:00 by 5: 20 counts 7.14, 2.86, 2.86, 7.14.
    expect(result.ok && [25, 26, 27, 28].map((hour) => result.value.energy[hour])).toEqual([
      70n,
      30n,
      30n,
      70n,
    ]);
  });

  test('and a day of 23 hours has no pattern for the hour it skips', () => {
    const berlin = { ...calendar, timezone: 'Europe/Berlin' };
    // Saturday, Sunday on which clocks go forward, Saturday again.
    const grid = createGrid('2026-03-28', '2026-04-05', HOUR, berlin);
    const sixth = 24 + 23 + 5 * 24;
    const hours = Array.from({ length: grid.count + 1 }, (_, hour) => hour);
    const flow = (hour: number): number =>
      hour < 24 ? [7, 1][hour % 2]! : hour < 47 ? 2 + (hour % 2) * 4 : 4;
    const readings = hours
      .map((hour) => ({
        at: grid.start + hour * HOUR,
        counts: BigInt(hours.slice(0, hour).reduce((sum, each) => sum + flow(each), 0)),
        row: hour + 2,
      }))
      .filter(({ row }) => ![2, 4].map((local) => sixth + local + 1 + 2).includes(row));
    const result = createSeries([installed({ from: grid.start })], () => readings, grid, {
      first: 0,
      last: grid.count,
    });
    // 02:00 to 04:00 by Saturday a week ago (7:1), because Sunday has no 02:00; 04:00 to 06:00 by that Sunday (6:2).
    const energies = [2, 3, 4, 5].map((local) => result.ok && result.value.energy[sixth + local]);
    expect(energies).toEqual([70n, 10n, 60n, 20n]);
  });
});
