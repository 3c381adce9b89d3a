import { expect, test } from 'vitest';
import { createFairQueue } from './queue.ts';

const filled = (): ReturnType<typeof createFairQueue<string>> => {
  const queue = createFairQueue<string>();
  for (const job of ['1a', '1b', '1c', '2a', '3a', '3b']) queue.push(Number(job[0]), job);
  return queue;
};
const rest = (queue: ReturnType<typeof filled>): string[] => {
  const jobs: string[] = [];
  for (let job = queue.take(); job; job = queue.take()) jobs.push(job);
  return jobs;
};

test('units take turns, jobs of one unit keep their order', () => {
  expect(rest(filled())).toEqual(['1a', '2a', '3a', '1b', '3b', '1c']);
});

test('a job can be taken back while it waits', () => {
  const queue = filled();
  expect([queue.remove(1, '1b'), queue.remove(2, '2a'), queue.remove(1, '1b'), queue.remove(9, 'x')]).toEqual(
    [true, true, false, false],
  );
  expect(rest(queue)).toEqual(['1a', '3a', '1c', '3b']);
});

test('a unit, or all, can be emptied', () => {
  const queue = filled();
  expect([queue.drain(3), queue.drain(9)]).toEqual([['3a', '3b'], []]);
  expect(queue.drain()).toEqual(['1a', '1b', '1c', '2a']);
  expect(queue.take()).toBeUndefined();
});
