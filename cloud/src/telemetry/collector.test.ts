import { expect, test } from 'vitest';
import { createCollector } from './collector.ts';

/** A collector whose clock is turned by hand. */
function given(full: number) {
  const timers: (() => void)[] = [];
  const collector = createCollector<string>({
    full,
    waitMs: 250,
    timer: (callback) => {
      timers.push(callback);
      return { unref: () => undefined };
    },
  });
  return { collector, ring: () => timers.splice(0).forEach((one) => one()) };
}

const isPending = async (promise: Promise<unknown>) =>
  (await Promise.race([
    promise.then(() => 'done'),
    new Promise((resolve) => setImmediate(resolve, 'waiting')),
  ])) === 'waiting';

test('hands out a full batch at once and leaves the rest for the next', async () => {
  const { collector, ring } = given(10);
  const taken = collector.take();
  for (const item of ['a', 'b', 'c']) await collector.push(item, 5);
  expect(await taken).toEqual(['a', 'b']);
  const next = collector.take();
  expect(await isPending(next)).toBe(true);
  ring();
  expect(await next).toEqual(['c']);
});

test('hands out what is there when the time of its first item is up', async () => {
  const { collector, ring } = given(10);
  const taken = collector.take();
  await collector.push('a', 1);
  expect(await isPending(taken)).toBe(true);
  ring();
  expect(await taken).toEqual(['a']);
});

test('a timer of a batch that was taken early does not hurry the next', async () => {
  const { collector, ring } = given(10);
  await collector.push('a', 10);
  await collector.take();
  await collector.push('b', 1);
  const next = collector.take();
  ring();
  expect(await next).toEqual(['b']);
});

test('holds the reader back while two batches wait', async () => {
  const { collector } = given(10);
  await collector.push('a', 10);
  const held = collector.push('b', 10);
  expect(await isPending(held)).toBe(true);
  expect(await collector.take()).toEqual(['a']);
  await held;
});

test('hands out the rest at the end, and then nothing', async () => {
  const { collector } = given(10);
  await collector.push('a', 1);
  collector.end();
  expect(await collector.take()).toEqual(['a']);
  expect(await collector.take()).toEqual([]);
});
