import { expect, test } from 'vitest';
import { ApiError } from '../api/errors.ts';
import { Resource } from './resource.svelte.ts';

const failure = new ApiError(500, { code: 'internal', message: 'broken' });

test('an answer becomes data', async () => {
  const resource = new Resource<number>();
  const loading = resource.load(async () => 7);
  expect(resource.loading).toBe(true);
  await loading;
  expect([resource.data, resource.loading, resource.error]).toEqual([7, false, undefined]);
});

test('a failure keeps what was read before, and a retry clears it', async () => {
  const resource = new Resource<number>();
  let broken = false;
  await resource.load(async () => {
    if (broken) throw failure;
    return 7;
  });
  broken = true;
  await resource.reload();
  expect([resource.data, resource.error]).toEqual([7, failure]);
  broken = false;
  await resource.reload();
  expect(resource.error).toBeUndefined();
});

test('the later of two loads wins, even when it answers first', async () => {
  const resource = new Resource<string>();
  const { promise, resolve } = Promise.withResolvers<string>();
  const first = resource.load(() => promise);
  await resource.load(async () => 'second');
  resolve('first');
  await first;
  expect([resource.data, resource.loading]).toEqual(['second', false]);
});

test('a bug is not shown as a failure of the network', async () => {
  const resource = new Resource<number>();
  await expect(
    resource.load(async () => {
      throw new TypeError('bug');
    }),
  ).rejects.toThrow('bug');
});
