import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reading } from './registers.ts';
import { createSeries } from './series.ts';
import { HOUR, week, all, at, installed, readHourly, without, series, faultsOf, flagged } from './testing.ts';

describe('measured intervals', () => {
  test('energy is the register difference times the multiplier', () => {
    const { energy, quality, rule } = series(readHourly((hour) => hour % 7));
    expect(energy.slice(0, 8)).toEqual([0n, 10n, 20n, 30n, 40n, 50n, 60n, 0n]);
    expect(new Set(quality)).toEqual(new Set(['M']));
    expect(new Set(rule)).toEqual(new Set(['']));
  });

  test('a register that rolls over goes on counting, and says so', () => {
    expect(flagged(series(readHourly(() => 10, 9_975)))).toEqual([[2, 100n, 'M', 'rollover']]);
  });

  test('a rollover within a silence is found by the rating of the whole silence', () => {
    const found = series(
      without(
        readHourly(() => 90, 9_900),
        1,
        2,
        3,
      ),
    );
    expect(found.energy.slice(0, 5)).toEqual([900n, 900n, 900n, 900n, 900n]);
    expect(found.rule[0]).toBe('missing:evenly');
  });

  test('a reading up to 10 s after the boundary stands for it', () => {
    const jittered = readHourly(() => 10).map((reading, hour) => ({
      ...reading,
      at: at(hour, (hour % 11) * 1000),
    }));
    expect(flagged(series(jittered))).toEqual([]);
  });

  test('the first of several such readings wins, and one on the boundary before all', () => {
    const readings = readHourly(() => 10);
    readings.splice(3, 0, { at: at(2, 4_000), counts: 29n, row: 99 });
    expect(series(readings).energy.slice(1, 3)).toEqual([100n, 100n]);
  });

  test('a boundary between two close readings is interpolated in whole counts', () => {
    const half = readHourly(() => 7).map((reading, hour) => ({
      ...reading,
      at: at(hour, hour === 2 ? -HOUR / 2 : 0),
    }));
    const found = series(
      half.concat({ at: at(2, HOUR / 3), counts: 17n, row: 99 }).sort((a, b) => a.at - b.at),
    );
    // 14 counts at 01:30 and 17 at 02:20 make 15.8 at 02:00.
    expect(flagged(found)).toEqual([
      [1, 90n, 'V', 'interpolated'],
      [2, 50n, 'V', 'interpolated'],
    ]);
  });

  test('readings further apart than an interval leave a gap', () => {
    const late = readHourly(() => 7).map((reading, hour) => ({
      ...reading,
      at: at(hour, hour === 2 ? 20_000 : 0),
    }));
    expect(flagged(series(late)).length).toBe(2);
    const result = series(late);
    expect(result.quality[1]).toBe('E');
    expect(result.quality[2]).toBe('E');
  });
});

describe('rejected readings', () => {
  const spiked = (counts: bigint, ...hours: number[]): Reading[] =>
    readHourly(() => 3, 500).map((reading, hour) =>
      hours.includes(hour) ? { ...reading, counts } : reading,
    );

  test('a spike leaves a gap of the intervals around it', () => {
    expect(flagged(series(spiked(9_000n, 30)))).toEqual([
      [29, 30n, 'E', 'high-limit:like-day'],
      [30, 30n, 'E', 'high-limit:like-day'],
    ]);
  });

  test('a fall beyond the rating is no rollover', () => {
    expect(flagged(series(spiked(0n, 30, 31))).map((row) => (row as unknown[])[3])).toEqual(
      Array(3).fill('negative:like-day'),
    );
  });

  test('a single wild reading at the end is noise and is estimated', () => {
    expect(flagged(series(spiked(9_000n, 120)))).toEqual([[119, 30n, 'E', 'high-limit:like-day-mean']]);
  });

  test('wild readings that contradict each other are noise too', () => {
    const readings = spiked(9_000n, 119).map((reading) =>
      reading.at === at(120) ? { ...reading, counts: 4n } : reading,
    );
    expect(flagged(series(readings)).length).toBe(2);
  });

  test('a register that stays on another level was reset: a person must say what flowed', () => {
    const reset = readHourly(() => 3, 900).map((reading, hour) =>
      hour < 60 ? reading : { ...reading, counts: reading.counts - 1000n },
    );
    expect(faultsOf(reset, installed({ maxCountsPerInterval: 5n }))).toEqual([
      expect.stringMatching(/^register 62 meter m goes from 107\.7 to 8\.0 and stays there/),
    ]);
  });
});

describe('replacements', () => {
  const swapAt = at(30, HOUR / 4);
  const old = installed({ to: swapAt, finalCounts: 5_001n });
  const next = installed({
    meterId: 'n',
    field: 'installations[1]',
    from: swapAt,
    startCounts: 100n,
    energyPerCount: 20n,
  });
  const oldReadings = readHourly(() => 4, 4_880).filter((reading) => reading.at < swapAt);
  const newReadings = readHourly(() => 4, -20 + 0).filter((reading) => reading.at > swapAt);
  const readings = (id: string): readonly Reading[] => (id === 'm' ? oldReadings : newReadings);

  test('the interval of the swap gets both parts, each with its own multiplier', () => {
    const result = createSeries([old, next], readings, week, all);
    // 5000 at 30:00, removed at 5001; installed at 100, 104 at 31:00.
    expect(result.ok && flagged(result.value)).toEqual([[30, 90n, 'M', 'swap']]);
  });

  test('an index that is also a reading is the same index', () => {
    const also = [...oldReadings, { at: swapAt, counts: 5_001n, row: 500 }];
    const result = createSeries([old, next], (id) => (id === 'm' ? also : newReadings), week, all);
    expect(result.ok && result.value.energy[30]).toBe(90n);
  });

  test('an index that differs from the reading of its instant is a fault', () => {
    const wrong = [...oldReadings, { at: swapAt, counts: 5_002n, row: 500 }];
    expect(faultsOf(wrong, old)).toEqual([
      'installations[0].final_index  differs from the reading of the same instant (readings line 500)',
    ]);
  });

  test('a swap on a boundary splits nothing', () => {
    const cut = at(30);
    const pair = [
      installed({ to: cut, finalCounts: 5_000n }),
      installed({ meterId: 'n', from: cut, startCounts: 100n, energyPerCount: 20n }),
    ];
    const result = createSeries(pair, readings, week, all);
    expect(result.ok && [result.value.energy[29], result.value.energy[30], flagged(result.value)]).toEqual([
      40n,
      80n,
      [],
    ]);
  });

  test('a start index on a boundary holds there, not the reading a few seconds later', () => {
    const cut = at(30);
    const pair = [
      installed({ to: cut, finalCounts: 5_000n }),
      installed({ meterId: 'n', from: cut, startCounts: 99n }),
    ];
    const late = [{ at: cut + 5_000, counts: 100n, row: 9 }, ...newReadings];
    const result = createSeries(pair, (id) => (id === 'm' ? oldReadings : late), week, all);
    expect(result.ok && result.value.energy[30]).toBe(50n);
  });

  test('two swaps within one interval add three parts', () => {
    const [one, two] = [at(30, HOUR / 4), at(30, HOUR / 2)];
    const three = [
      installed({ to: one, finalCounts: 5_001n }),
      installed({ meterId: 'x', from: one, startCounts: 7n, to: two, finalCounts: 9n, energyPerCount: 1n }),
      installed({ meterId: 'n', from: two, startCounts: 102n, energyPerCount: 20n }),
    ];
    const result = createSeries(three, (id) => (id === 'x' ? [] : readings(id)), week, all);
    expect(result.ok && [result.value.energy[30], result.value.rule[30]]).toEqual([10n + 2n + 40n, 'swap']);
  });

  test('a swap within a silence is estimated on both sides of it, up to the indexes', () => {
    const silent = (id: string): readonly Reading[] => without(readings(id), 30, 31);
    const result = createSeries([old, next], silent, week, all);
    expect(result.ok && [29, 30, 31].map((hour) => result.value.energy[hour])).toEqual([
      40n,
      10n + 60n,
      100n,
    ]);
    expect(result.ok && result.value.rule[30]).toBe('missing:like-day+swap');
  });

  test('a swap without its indexes is a fault', () => {
    expect(faultsOf(oldReadings, installed({ to: swapAt }))).toEqual([
      'installations[0].final_index  is missing, and meter m has no reading at that instant',
    ]);
    expect(faultsOf(newReadings, installed({ from: swapAt }))).toEqual([
      'installations[0].start_index  is missing, and meter m has no reading at that instant',
    ]);
  });

  test('a final index that the rating cannot explain is a fault', () => {
    expect(faultsOf(oldReadings, installed({ to: swapAt, finalCounts: 4_000n }))).toEqual([
      'installations[0].final_index  meter m: 400.0 cannot follow the last accepted 500.0 within the rating',
    ]);
  });

  test('also when a reading of the same instant confirms it', () => {
    const confirmed = [...oldReadings, { at: swapAt, counts: 4_000n, row: 500 }];
    expect(faultsOf(confirmed, installed({ to: swapAt, finalCounts: 4_000n }))).toEqual([
      expect.stringMatching(/^installations\[0\]\.final_index {2}meter m: 400\.0 cannot follow/),
    ]);
  });

  test('a reset before the removal is told by its first reading', () => {
    const reset = oldReadings.map((reading) =>
      reading.at < at(20) ? reading : { ...reading, counts: reading.counts - 4_900n },
    );
    expect(faultsOf(reset, installed({ to: swapAt, finalCounts: 101n }))).toEqual([
      expect.stringMatching(/^register 22 meter m goes from 495\.6 to 6\.0 and stays there/),
    ]);
  });

  test('a meter without any reading is a fault', () => {
    expect(faultsOf([], installed())).toEqual(['installations[0].meter  meter m has no readings']);
  });
});

test('whatever is lost, the intervals add up to the register difference', () => {
  const counts = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 120, maxLength: 120 });
  const lost = fc.array(fc.integer({ min: 1, max: 119 }), { maxLength: 40 });
  const jitter = fc.array(fc.integer({ min: -HOUR / 3, max: HOUR / 3 }), { minLength: 121, maxLength: 121 });
  fc.assert(
    fc.property(counts, lost, jitter, fc.integer({ min: 0, max: 9_999 }), (flow, gone, off, start) => {
      const readings = without(
        readHourly((hour) => flow[hour] ?? 0, start),
        ...gone,
      );
      const moved = readings.map((reading, index) => ({
        ...reading,
        at: reading.at + (index > 0 && index < readings.length - 1 ? off[index]! : 0),
      }));
      const sum = series(moved, installed({ maxCountsPerInterval: 400n })).energy.reduce(
        (acc, part) => acc + part,
        0n,
      );
      expect(sum).toBe(10n * BigInt(flow.reduce((acc, part) => acc + part, 0)));
    }),
  );
});
