import type { ListQuery } from '@parkline/contract';
import { AppError } from './errors.ts';

/**
 * A page of a list that is at hand as a whole. `items` keep their order; `idOf` is unique among them and becomes `next`.
 * @throws AppError 'bad_input' when `after` is none of them.
 */
export function pageOf<T>(
  items: readonly T[],
  { limit, after }: ListQuery,
  idOf: (item: T) => string,
): { items: T[]; next: string | null } {
  const start = after === undefined ? 0 : items.findIndex((item) => idOf(item) === after) + 1;
  if (after !== undefined && start === 0) {
    const message = 'is not the next of an earlier page';
    throw new AppError('bad_input', `after ${message}`, { details: [{ field: 'after', message }] });
  }
  const page = items.slice(start, start + limit);
  const last = page.at(-1);
  return { items: page, next: last && start + limit < items.length ? idOf(last) : null };
}
