import { expect, expectTypeOf, test } from 'vitest';
import { createClient, type Item, type Request } from './index.ts';

/** A transport that answers from a list and remembers what it was asked. */
function clientOf(...answers: unknown[]) {
  const asked: Request[] = [];
  const client = createClient((request) => {
    asked.push(request);
    return Promise.resolve(answers.shift());
  });
  return { ...client, asked };
}

test('an operation is sent by its method and path, with its parameters escaped', async () => {
  const { ask, asked } = clientOf({ id: 'x' });
  const { signal } = new AbortController();
  const reply = await ask('acceptWorkOrder', { path: { id: 'a/b?' }, body: { version: 1 } }, { signal });
  expectTypeOf(reply).toHaveProperty('state');
  expect(asked).toEqual([
    { method: 'POST', path: '/api/work-orders/a%2Fb%3F/accept', query: {}, body: { version: 1 }, signal },
  ]);
});

test('a list is walked to its end', async () => {
  const { all, asked } = clientOf({ items: [1, 2], next: 'n' }, { items: [3], next: null });
  const faults = await all('listFaults', { query: { state: 'open' } });
  expectTypeOf(faults).toEqualTypeOf<Item<'listFaults'>[]>();
  expect(faults).toEqual([1, 2, 3]);
  expect(asked.map(({ query }) => query)).toEqual([
    { limit: 500, state: 'open' },
    { limit: 500, state: 'open', after: 'n' },
  ]);
});

test('what is asked of a person may be left out where nothing is required', async () => {
  const { ask, asked } = clientOf(undefined);
  expect(await ask('logout')).toBeUndefined();
  expect(asked[0]).toEqual({ method: 'POST', path: '/api/logout', query: {} });
});

test('what the description does not know does not compile', () => {
  const { ask } = clientOf();
  const mistakes = [
    // @ts-expect-error -- no such operation
    () => ask('listNothing'),
    // @ts-expect-error -- no such state
    () => ask('listFaults', { query: { state: 'maybe' } }),
    // @ts-expect-error -- a body without what it needs
    () => ask('acceptWorkOrder', { path: { id: 'x' }, body: {} }),
  ];
  expect(mistakes).toHaveLength(3);
  expect(() => void ask('getFault', { path: {} as { id: string } })).toThrow('/api/faults/{id} needs id');
});
