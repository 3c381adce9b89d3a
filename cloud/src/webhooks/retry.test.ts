import { expect, test } from 'vitest';
import { hasFailedLong, nextTry } from './retry.ts';

const at = (s: number) => new Date(s * 1_000);

test('waits double from 5 s to 4 h, and end a day after the first try', () => {
  const waits: number[] = [];
  let now = at(0);
  for (let attempts = 1; attempts < 100; attempts += 1) {
    const next = nextTry(attempts, at(0), now, 0);
    if (!next) break;
    waits.push((next.getTime() - now.getTime()) / 1_000);
    now = next;
  }
  expect(waits.slice(0, 13)).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 14400]);
  expect(now).toEqual(at(86_400));
  expect(waits.length).toBe(17);
});

test('many that failed together do not come back together', () => {
  expect(nextTry(1, at(0), at(0), 1)).toEqual(at(6));
});

test('three days of nothing but failures are too long', () => {
  expect(hasFailedLong(at(0), at(3 * 86_400 - 1))).toBe(false);
  expect(hasFailedLong(at(0), at(3 * 86_400))).toBe(true);
});
