import { expect, test } from 'vitest';
import { createBackOff } from './back-off.ts';

test('waits double up to the most, and a success ends them', () => {
  let now = 0;
  const backOff = createBackOff(
    { firstMs: 100, mostMs: 350 },
    () => now,
    () => 0.5,
  );
  const waits: number[] = [];
  expect(backOff.waitMs()).toBe(0);
  for (let n = 0; n < 4; n += 1) {
    backOff.fail();
    waits.push(backOff.waitMs());
    now += 1_000;
  }
  expect(waits).toEqual([100, 200, 350, 350]);
  backOff.fail();
  now += 50;
  expect(backOff.waitMs()).toBe(300);
  backOff.succeed();
  expect(backOff.waitMs()).toBe(0);
  backOff.fail();
  expect(backOff.waitMs()).toBe(100);
});

test('waits are spread by a quarter either way', () => {
  const wait = (random: number): number => {
    const backOff = createBackOff(
      { firstMs: 100, mostMs: 1_000 },
      () => 0,
      () => random,
    );
    backOff.fail();
    return backOff.waitMs();
  };
  expect([wait(0), wait(0.5), wait(1)]).toEqual([75, 100, 125]);
});

test('a clock that is set back by hours prolongs no wait', () => {
  let now = 7_200_000;
  const backOff = createBackOff(
    { firstMs: 100, mostMs: 1_000 },
    () => now,
    () => 0.5,
  );
  backOff.fail();
  now -= 3_600_000;
  expect(backOff.waitMs()).toBe(0);
});
