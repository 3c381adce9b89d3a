import { expect, test } from 'vitest';
import { ordersByState, timeToAccept } from './figures.ts';

const order = (acceptedAfterS: number | null) => ({
  dispatchedAt: '2026-11-23T08:00:00Z',
  acceptedAt:
    acceptedAfterS === null
      ? null
      : new Date(Date.parse('2026-11-23T08:00:00Z') + acceptedAfterS * 1_000).toISOString(),
});

test('the time to accept is the middle one of those that were accepted', () => {
  expect(timeToAccept([order(60), order(600), order(120), order(null)])).toEqual({ ms: 120_000, count: 3 });
  expect(timeToAccept([order(60), order(120)])).toEqual({ ms: 90_000, count: 2 });
});

test('without an accepted order there is no time, and not zero', () => {
  expect(timeToAccept([])).toBeUndefined();
  expect(
    timeToAccept([order(null), { dispatchedAt: null, acceptedAt: '2026-11-23T08:00:00Z' }]),
  ).toBeUndefined();
});

test('every state is counted, also where nothing stands in it', () => {
  const counted = ordersByState([{ state: 'waiting' }, { state: 'waiting' }, { state: 'done' }]);
  expect(counted.find(({ state }) => state === 'waiting')?.count).toBe(2);
  expect(counted.find(({ state }) => state === 'accepted')?.count).toBe(0);
});
