import { expect, test } from 'vitest';
import { createFailpoints } from './failpoints.ts';

const known = ['before-commit', 'before-ack'] as const;

test('crashes at the n-th passage of its place and nowhere else', () => {
  const crashes: number[] = [];
  let passage = 0;
  const hit = createFailpoints(known, 'before-ack:crash@2', () => crashes.push(passage));
  for (passage = 1; passage <= 4; passage += 1) {
    hit('before-commit');
    hit('before-ack');
  }
  expect(crashes).toEqual([2]);
});

test('without a setting nothing crashes', () => {
  createFailpoints(known, undefined, () => expect.unreachable())('before-ack');
});

test.each(['before-act:crash@1', 'before-ack', 'before-ack:crash@x'])('refuses %s', (setting) => {
  expect(() => createFailpoints(known, setting, () => undefined)).toThrow(`no failpoint: ${setting}`);
});
