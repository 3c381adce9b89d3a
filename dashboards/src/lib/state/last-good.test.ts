import type { History, HistoryItem, Point } from '@parkline/contract';
import { expect, test } from 'vitest';
import { findLastGood, orLastGood } from './last-good.ts';
import type { Reading } from './reading.ts';

const point = (id: string): Point => ({
  id,
  name: id,
  unit: 'kW',
  protocol: 'modbus',
  value: null,
  at: '2026-11-22T10:05:00.000Z',
  quality: 'bad',
  equipmentId: 'e',
  key: 'active_power_total',
  kind: 'gauge',
  decimals: 1,
  staleAfterMs: 70_000,
});
const item = (at: string, value: number | null): HistoryItem => ({
  at,
  value,
  quality: value === null ? 'bad' : 'good',
});
const history = (pointId: string, items: HistoryItem[]): History => ({
  pointId,
  unit: 'kW',
  kind: 'gauge',
  by: 'raw',
  timezone: 'UTC',
  items,
  gaps: [],
  next: null,
});

test('the last value before the failed reads is found, around the last answer only', async () => {
  const answeredAt = Date.parse('2026-11-22T10:00:00.000Z');
  const asked: { from: number; to: number }[] = [];
  const found = await findLastGood(
    {
      history: async (id, range) => {
        asked.push(range);
        const failed = item('2026-11-22T10:00:05.000Z', null);
        return history(id, id === 'a' ? [item('2026-11-22T09:59:58.000Z', 7), failed] : [failed]);
      },
    },
    [point('a'), point('b')],
    answeredAt,
  );
  expect([...found]).toEqual([['a', { value: 7, at: Date.parse('2026-11-22T09:59:58.000Z') }]]);
  expect(asked[0]).toMatchObject({ from: answeredAt - 70_000, to: answeredAt + 60_000 });
});

test('only a reading without a value falls back, and is stale then', () => {
  const last = { value: 7, at: 1 };
  const bad: Reading = { value: null, at: 2, freshness: 'bad' };
  const good: Reading = { value: 8, at: 2, freshness: 'good' };
  expect(orLastGood(bad, last)).toEqual({ value: 7, at: 1, freshness: 'stale' });
  expect(orLastGood(good, last)).toBe(good);
  expect(orLastGood(bad, undefined)).toBe(bad);
});
