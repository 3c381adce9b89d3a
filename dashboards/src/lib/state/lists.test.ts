import { expect, test } from 'vitest';
import { ApiError } from '../api/errors.ts';
import { Pager } from './pager.svelte.ts';
import { Pages } from './pages.svelte.ts';

const offline = new ApiError(0, { code: 'offline', message: 'no reply' });

/** A list of numbers, three to a page; `after` is the last one seen. */
function numbers(count: number) {
  const asked: (string | undefined)[] = [];
  const state = { count, failing: false };
  const read = async (after: string | undefined) => {
    asked.push(after);
    if (state.failing) throw offline;
    const from = after === undefined ? 0 : Number(after);
    const items = Array.from({ length: Math.min(3, state.count - from) }, (_, index) => from + index + 1);
    return { items, next: from + 3 < state.count ? String(from + 3) : null };
  };
  return { read, asked, state };
}

test('more is put below what is shown, and reading anew keeps as much in view', async () => {
  const { read, asked, state } = numbers(8);
  const pages = new Pages<number>();
  await pages.load(read);
  expect([pages.items, pages.hasMore]).toEqual([[1, 2, 3], true]);
  await pages.more();
  expect(pages.items).toEqual([1, 2, 3, 4, 5, 6]);
  state.count = 5;
  await pages.reload();
  expect([pages.items, pages.hasMore]).toEqual([[1, 2, 3, 4, 5], false]);
  expect(asked).toEqual([undefined, '3', undefined, '3']);
});

test('a page that cannot be read leaves what is shown, and can be asked for again', async () => {
  const { read, state } = numbers(5);
  const pages = new Pages<number>();
  await pages.load(read);
  state.failing = true;
  await pages.more();
  expect([pages.items, pages.resource.error]).toEqual([[1, 2, 3], offline]);
  state.failing = false;
  await pages.more();
  expect(pages.items).toEqual([1, 2, 3, 4, 5]);
});

test('a pager goes forth and back over the same pages', async () => {
  const { read, asked } = numbers(8);
  const pager = new Pager<number>(read);
  await pager.load();
  await pager.next();
  await pager.next();
  expect([pager.at, pager.page.data?.items, pager.hasNext]).toEqual([2, [7, 8], false]);
  await pager.next();
  await pager.previous();
  expect([pager.at, pager.page.data?.items]).toEqual([1, [4, 5, 6]]);
  await pager.previous();
  await pager.previous();
  expect([pager.at, pager.hasPrevious]).toEqual([0, false]);
  expect(asked).toEqual([undefined, '3', '6', '3', undefined]);
});

test('a pager stays where it is when the next page cannot be read', async () => {
  const { read, state } = numbers(8);
  const pager = new Pager<number>(read);
  await pager.load();
  state.failing = true;
  await pager.next();
  expect([pager.at, pager.page.data?.items]).toEqual([0, [1, 2, 3]]);
});
