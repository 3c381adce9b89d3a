import type { Sample } from '@parkline/kit';
import { expect, test } from 'vitest';
import { createHoleLedger, type HoleMemory } from './holes.ts';

const noon = Date.UTC(2026, 10, 22, 12);
const day = 86_400_000;

function given(memory: HoleMemory = {}) {
  const time = { now: noon };
  const ledger = createHoleLedger(['p', 'q'], memory, () => time.now);
  /** A reading of p that came when it was made, ms after noon. */
  const see = (at: number, quality: Sample['quality'], pointId = 'p'): boolean => {
    time.now = noon + at;
    const value = quality === 'bad' ? null : 1;
    return ledger.see({ pointId, at: noon + at, beganAt: noon + at, value, quality });
  };
  const open = () =>
    ledger.open(['p', 'q']).map(({ pointId, from, to }) => [pointId, from - noon, to - noon]);
  return { time, ledger, see, open };
}

test('a hole reaches from the last value to the next one, and is known when that comes', () => {
  const { see, open } = given();
  expect([see(0, 'good'), see(5_000, 'uncertain'), see(10_000, 'bad'), see(15_000, 'bad')]).not.toContain(
    true,
  );
  expect(open()).toEqual([]);
  expect(see(20_000, 'good')).toBe(true);
  expect(open()).toEqual([['p', 5_001, 20_000]]);
});

test('a point that never had a value, and one nobody keeps, have no holes', () => {
  const { see, open } = given();
  expect([
    see(0, 'bad'),
    see(1_000, 'good'),
    see(2_000, 'bad', 'other'),
    see(3_000, 'good', 'other'),
  ]).toEqual([false, false, false, false]);
  expect(open()).toEqual([]);
});

test('what is filled is a hole no more, what is filled in part begins later', () => {
  const { see, open, ledger } = given();
  see(0, 'good');
  see(1_000, 'bad');
  see(2_000, 'good');
  see(3_000, 'bad');
  see(4_000, 'good');
  const [first, second] = ledger.open(['p']);
  ledger.filled(first!, first!.to);
  ledger.filled(second!, noon + 2_500);
  expect(open()).toEqual([['p', 2_500, 4_000]]);
  ledger.filled(second!, second!.to + 1);
  expect(open()).toEqual([]);
});

test('a restart leaves a hole since the last value, and keeps those that were open', () => {
  const { ledger } = (() => {
    const before = given();
    before.see(0, 'good');
    before.see(1_000, 'bad');
    before.see(2_000, 'good');
    return before;
  })();
  const after = given(ledger.memory());
  expect(after.open()).toEqual([['p', 1, 2_000]]);
  expect([after.see(60_000, 'good'), after.see(60_000, 'good', 'q')]).toEqual([true, false]);
  expect(after.open()).toEqual([
    ['p', 1, 2_000],
    ['p', 2_001, 60_000],
  ]);
});

test('no hole is older than 30 days', () => {
  const { see, open } = given();
  see(0, 'good');
  see(1_000, 'bad');
  see(40 * day, 'good');
  expect(open()).toEqual([['p', 10 * day, 40 * day]]);
});

test('a point that comes and goes all day has few holes, and none of its time is forgotten', () => {
  const { see, open } = given();
  for (let n = 0; n < 100; n += 1) {
    see(n * 1_000, 'good');
    see(n * 1_000 + 500, 'bad');
  }
  see(100_000, 'good');
  expect(open()).toHaveLength(20);
  expect([open()[0]![1], open().at(-1)![2]]).toEqual([1, 100_000]);
});

test('a clock that is set back begins anew and makes no hole', () => {
  const { see, open } = given();
  see(3_600_000, 'good');
  see(1_000, 'bad');
  see(2_000, 'good');
  expect(open()).toEqual([]);
  see(3_000, 'bad');
  see(4_000, 'good');
  expect(open()).toEqual([['p', 2_001, 4_000]]);
});

test('a value whose time is to come stands for now', () => {
  const { ledger, time, open } = given();
  const sample = { pointId: 'p', value: 1, quality: 'good' } as const;
  ledger.see({ ...sample, at: noon + day, beganAt: noon + day });
  ledger.see({ ...sample, at: noon, beganAt: noon, value: null, quality: 'bad' });
  time.now = noon + 1_000;
  ledger.see({ ...sample, at: noon + 1_000, beganAt: noon + 1_000 });
  expect(open()).toEqual([['p', 1, 1_000]]);
});
