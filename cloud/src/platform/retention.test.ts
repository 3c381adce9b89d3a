import pino from 'pino';
import { expect, test } from 'vitest';
import type { Db } from './db.ts';
import { type Retention, runRetention } from './retention.ts';

const db = {} as Db;
const log = pino({ enabled: false });
const AT = new Date('2026-11-01T00:00:00Z');

/** Lets `days` days pass. @returns what the waits were, ms. */
async function live(rules: readonly Retention[], days: number): Promise<number[]> {
  const stop = new AbortController();
  const waits: number[] = [];
  const wait = async (ms: number) => {
    waits.push(ms);
    if (waits.length >= days) stop.abort();
  };
  await runRetention({ db, rules, now: () => AT, wait, log }, stop.signal);
  return waits;
}

test('everything over its time goes, in bites, every day', async () => {
  let left = 25;
  let calls = 0;
  const drop = async (_db: Db, now: Date) => {
    expect(now).toBe(AT);
    calls += 1;
    const some = Math.min(10, left);
    left -= some;
    return some;
  };
  expect(await live([{ what: 'things', drop }], 2)).toEqual([86_400_000, 86_400_000]);
  expect([left, calls]).toEqual([0, 5]); // 10, 10, 5, none; the day after none.
});

test('one that fails keeps no other from its work', async () => {
  const dropped: string[] = [];
  await live(
    [
      { what: 'broken', drop: () => Promise.reject(new Error('no such table')) },
      { what: 'fine', drop: async () => (dropped.push('fine'), 0) },
    ],
    1,
  );
  expect(dropped).toEqual(['fine']);
});
