import { expect, test } from 'vitest';
import { changedFields } from './changed-fields.ts';

test.each([
  [
    { a: 1, b: ['x'], c: 'x' },
    { a: 2, b: ['x'], c: 'x' },
    { before: { a: 1 }, after: { a: 2 } },
  ],
  [{ a: { en: 'x' } }, { a: { en: 'y' } }, { before: { a: { en: 'x' } }, after: { a: { en: 'y' } } }],
  [{ a: 1 }, { a: 1, b: 2 }, { before: { b: null }, after: { b: 2 } }],
  [{ a: 1, b: null }, { a: 1 }, {}],
  [null, { a: 1 }, { after: { a: 1 } }],
  [{ a: 1 }, null, { before: { a: 1 } }],
])('from %o to %o', (before, after, change) => {
  expect(changedFields(before, after)).toEqual(change);
});
