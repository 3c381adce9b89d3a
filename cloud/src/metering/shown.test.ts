import { expect, test } from 'vitest';
import { createGrid } from './calendar.ts';
import type { Installation, Reading } from './registers.ts';
import { showRegister } from './shown.ts';

const HOUR = 3_600_000;
const calendar = { timezone: 'UTC', holidays: new Set<string>(), adjustedWorkdays: new Set<string>() };
const grid = createGrid('2026-06-01', '2026-06-02', HOUR, calendar);
const installation: Installation = {
  ...{ meterId: 'm', field: 'installations[0]', from: grid.start, to: null },
  ...{ decimals: 0, modulus: 100n, energyPerCount: 1n, maxCountsPerInterval: 20n },
};
const readings = (...shown: readonly (readonly [hour: number, counts: number])[]): Reading[] =>
  shown.map(([hour, counts], row) => ({ at: grid.start + hour * HOUR, counts: BigInt(counts), row }));
const show = (of: Installation, list: Reading[], first = 0, last = 4) =>
  showRegister(of, list, grid, { first, last }).map(({ interval, from, to }) => [interval, from, to]);

test('shows the display at both ends, past a rollover as it was read', () => {
  expect(show(installation, readings([0, 90], [1, 95], [2, 3], [3, 5], [4, 9]))).toEqual([
    [0, 90n, 95n],
    [1, 95n, 3n],
    [2, 3n, 5n],
    [3, 5n, 9n],
  ]);
});

test('shows nothing where nothing was read, and no reading that was rejected', () => {
  expect(show(installation, readings([0, 10], [2, 70], [3, 14], [4, 15]))).toEqual([
    [0, 10n, undefined],
    [1, undefined, undefined],
    [2, undefined, 14n],
    [3, 14n, 15n],
  ]);
});

test('begins and ends with the installation, at the index written down there', () => {
  const from = grid.start + HOUR / 2;
  const to = grid.start + 2.5 * HOUR;
  const part = { ...installation, from, to, startCounts: 4n, finalCounts: 9n };
  expect(show(part, readings([1, 5], [2, 8]))).toEqual([
    [0, 4n, 5n],
    [1, 5n, 8n],
    [2, 8n, 9n],
  ]);
});
