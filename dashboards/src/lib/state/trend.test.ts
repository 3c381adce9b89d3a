import { expect, test } from 'vitest';
import { createClock } from './clock.ts';
import { TrendBuffer } from './trend.svelte.ts';
import { Watch } from './watch.svelte.ts';

const iso = (ms: number) => new Date(ms).toISOString();
const sample = (ms: number, value: number | null = 1, pointId = 'p') => ({
  pointId,
  at: iso(ms),
  value,
  quality: value === null ? ('bad' as const) : ('good' as const),
});
const item = (ms: number) => ({ at: iso(ms), value: 1, quality: 'good' as const, simulated: true });

test('the past arrives after the first live sample and stands before it', () => {
  const buffer = new TrendBuffer('p', 10_000);
  buffer.add(sample(5_000));
  buffer.fill([item(1_000), item(5_000)]);
  buffer.add(sample(6_000));
  expect(buffer.points.map(({ at }) => at)).toEqual([1_000, 5_000, 6_000]);
  expect(buffer.points[0]!.simulated).toBe(true);
});

test('other points, repeats and late samples are left out, a bad reading is a hole, the oldest leaves', () => {
  const buffer = new TrendBuffer('p', 10_000);
  for (const next of [
    sample(1_000),
    sample(1_000),
    sample(500),
    sample(2_000, 9, 'q'),
    sample(3_000, null),
  ]) {
    buffer.add(next);
  }
  expect(buffer.points).toEqual([
    { at: 1_000, value: 1 },
    { at: 3_000, value: null },
  ]);
  buffer.add(sample(12_000));
  expect(buffer.points.map(({ at }) => at)).toEqual([3_000, 12_000]);
});

test('without a point there is nothing to stream', async () => {
  let opened = 0;
  const watch = new Watch(
    {},
    {
      api: { points: async () => [] },
      clock: createClock(() => 0),
      onRefused: () => undefined,
      live: {
        open: () => {
          opened += 1;
          throw new Error('no stream expected');
        },
        later: () => () => undefined,
        onRefused: () => undefined,
      },
    },
  );
  await watch.load();
  expect([opened, watch.link]).toEqual([0, undefined]);
});

test('a watched point reads what the stream brought last, and goes stale only while news could come', async () => {
  let now = 2_000;
  let send: (event: { data: string }) => void = () => undefined;
  let url = '';
  const point = {
    id: 'p',
    name: 'Power',
    unit: 'kW',
    protocol: 'modbus',
    value: 1,
    at: iso(1_000),
    quality: 'good' as const,
    equipmentId: 'e',
    key: 'k',
    kind: 'gauge' as const,
    decimals: 1,
    staleAfterMs: 60_000,
  };
  const watch = new Watch(
    { equipment: 'e' },
    {
      api: { points: async () => [point] },
      clock: createClock(() => now),
      onRefused: () => undefined,
      live: {
        open: (address) => {
          url = address;
          return {
            readyState: 1,
            onopen: null,
            onerror: null,
            addEventListener: (_type, listener) => (send = listener),
            close: () => undefined,
          };
        },
        later: () => () => undefined,
        onRefused: () => undefined,
      },
    },
  );
  await watch.load();
  expect([url, watch.readingOfId('p')?.value, watch.readingOfId('x')]).toEqual([
    '/api/live?equipment=e',
    1,
    undefined,
  ]);
  send({ data: JSON.stringify([sample(1_500, 7)]) });
  expect(watch.readingOfId('p')).toEqual({ value: 7, at: 1_500, freshness: 'good' });
  watch.asOf = now;
  now = 100_000;
  expect([watch.now, watch.readingOfId('p')?.freshness]).toEqual([2_000, 'good']);
  watch.asOf = undefined;
  expect([watch.now, watch.readingOfId('p')?.freshness]).toEqual([100_000, 'stale']);
});
