import { expect, test } from 'vitest';
import { pageOf } from './pages.ts';

const letters = ['a', 'b', 'c', 'd', 'e'];
const page = (limit: number, after?: string) =>
  pageOf(letters, { limit, ...(after && { after }) }, (one) => one);

test('pages follow one another to the end, each thing once', () => {
  expect(page(2)).toEqual({ items: ['a', 'b'], next: 'b' });
  expect(page(2, 'b')).toEqual({ items: ['c', 'd'], next: 'd' });
  expect(page(2, 'd')).toEqual({ items: ['e'], next: null });
  expect(page(5)).toEqual({ items: letters, next: null });
  expect(page(1, 'e')).toEqual({ items: [], next: null });
});

test('a cursor that was never given out is refused', () => {
  expect(() => page(2, 'x')).toThrow(/not the next of an earlier page/);
});
