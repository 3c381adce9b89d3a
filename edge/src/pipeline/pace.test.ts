import { expect, test } from 'vitest';
import { createPace } from './pace.ts';

/** A log that is emptied at `perSecond`, and a backlog that fills it as far as the pace allows. @returns waiting times, ms. */
function drain(
  pace: ReturnType<typeof createPace>,
  perSecond: number,
  [from, to]: [number, number],
): number[] {
  const log: number[] = [];
  const waits: number[] = [];
  let credit = 0;
  for (let now = from * 1_000; now < to * 1_000; now += 10) {
    while (log.length < pace.allowance()) log.push(now);
    for (credit += perSecond / 100; credit >= 1 && log.length > 0; credit -= 1) {
      const sentAt = log.shift()!;
      waits.push(now - sentAt);
      pace.receipted(sentAt, now);
    }
  }
  return waits;
}

test.each([5, 50, 200, 1_000])(
  'at %d messages a second the log stays short, and is never idle',
  (perSecond) => {
    const waits = drain(createPace(5_000), perSecond, [0, 60]);
    const settled = waits.slice(waits.length / 2).sort((a, b) => a - b);
    expect(settled.at(-1)).toBeLessThanOrEqual(3_500);
    expect(waits.length).toBeGreaterThan(0.9 * 60 * perSecond);
  },
);

test('a cloud that grows slow gets less, one that grows fast gets more', () => {
  const pace = createPace(5_000);
  drain(pace, 1_000, [0, 20]);
  const fast = pace.allowance();
  drain(pace, 10, [20, 400]);
  const slow = pace.allowance();
  expect(slow).toBeLessThan(fast / 10);
  drain(pace, 1_000, [400, 420]);
  expect(pace.allowance()).toBeGreaterThan(fast / 2);
});

test('one late receipt after another of the same jam cuts once', () => {
  const pace = createPace(5_000);
  for (let n = 0; n < 84; n += 1) pace.receipted(0, 10);
  for (let n = 0; n < 50; n += 1) pace.receipted(10, 5_000);
  expect(pace.allowance()).toBe(50);
});

test('it never stands still and never exceeds its most', () => {
  const pace = createPace(20);
  for (let n = 0; n < 100; n += 1) pace.receipted(0, 1);
  expect(pace.allowance()).toBe(20);
  for (let n = 1; n < 50; n += 1) pace.receipted(n * 10_000, n * 10_000 + 9_000);
  expect(pace.allowance()).toBe(4);
});
