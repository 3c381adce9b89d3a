import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

test('tasks of one key take turns, also after a failure; another key does not wait', async () => {
  const inTurn = createTurns();
  const seen: string[] = [];
  const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>();
  const first = inTurn('a', async () => {
    await held;
    seen.push('a1');
    throw new Error('a1 failed');
  });
  const second = inTurn('a', async () => void seen.push('a2'));
  await inTurn('b', async () => void seen.push('b1'));
  letGo(undefined);
  await expect(first).rejects.toThrow('a1 failed');
  await second;
  expect(seen).toEqual(['b1', 'a1', 'a2']);
});
