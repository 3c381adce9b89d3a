import { expect, test } from 'vitest';
import { narrowed } from './api-keys.ts';

const held = new Map([
  ['point.read', null],
  ['fault.read', ['a', 'b']],
]);

test('a key has what was given to it, where both it and its maker may', () => {
  expect(narrowed(held, ['point.read'], null)).toEqual(new Map([['point.read', null]]));
  expect(narrowed(held, ['point.read', 'fault.read'], ['b', 'c'])).toEqual(
    new Map([
      ['point.read', ['b', 'c']],
      ['fault.read', ['b']],
    ]),
  );
});

test('what its maker no longer may, a key may not either', () => {
  expect(narrowed(held, ['billing.read'], null)).toEqual(new Map());
  expect(narrowed(new Map(), ['point.read'], ['a'])).toEqual(new Map());
});
