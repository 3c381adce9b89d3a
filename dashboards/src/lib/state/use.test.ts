import type { UsageItem } from '@parkline/contract';
import { expect, test } from 'vitest';
import { compareUse } from './comparison.ts';
import { heldIntervals, toIntervals } from './leases.ts';

test.each([
  [100, null, { kind: 'nothing_held' }],
  [null, { use: 10, cost: null }, { kind: 'unknown' }],
  [10, { use: null, cost: null }, { kind: 'unknown' }],
  [10, { use: 0, cost: '0.00' }, { kind: 'unknown' }],
  [100.4, { use: 100, cost: null }, { kind: 'same' }],
  [150, { use: 100, cost: null }, { kind: 'more', percent: 50 }],
  [75, { use: 100, cost: null }, { kind: 'less', percent: 25 }],
] as const)('%s against %o', (use, last, comparison) => expect(compareUse(use, last)).toEqual(comparison));

const zone = 'Asia/Shanghai';
const day = (date: number) => Date.UTC(2026, 10, date) - 8 * 3_600_000;
const days = [1, 2, 3, 4].map(day);

test('days outside the lease are left out, the first and the last one are in', () => {
  expect(heldIntervals(days, day(5), [{ from: '2026-11-02', to: '2026-11-04' }], zone)).toEqual([
    day(2),
    day(3),
  ]);
  expect(heldIntervals(days, day(5), [{ from: '2026-11-03', to: null }], zone)).toEqual([day(3), day(4)]);
  expect(heldIntervals(days, day(5), [{ from: '2027-01-01', to: null }], zone)).toEqual([]);
});

test('a month that a lease reaches into is shown', () => {
  const months = [Date.UTC(2026, 9, 1) - 8 * 3_600_000, day(1)];
  expect(heldIntervals(months, day(31), [{ from: '2026-10-31', to: '2026-11-02' }], zone)).toEqual(months);
});

const item = (at: number, value: number | null, quality: UsageItem['quality'] = 'good'): UsageItem => ({
  at: new Date(at).toISOString(),
  to: new Date(at).toISOString(),
  value,
  quality,
  cost: null,
});

test('parts of one interval are added up, and unknown together when one is', () => {
  const parts = [item(day(1), 5), item(day(1) + 3_600_000, 2, 'uncertain'), item(day(2) + 1, null)];
  expect(toIntervals([...parts, item(day(2) + 2, 3)], [day(1), day(2)])).toEqual([
    { at: new Date(day(1)).toISOString(), value: 7, quality: 'uncertain' },
    { at: new Date(day(2)).toISOString(), value: null, quality: 'good' },
  ]);
  expect(toIntervals([item(day(1), 5)], [day(2)])).toEqual([]);
});
