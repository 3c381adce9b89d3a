import { expect, expectTypeOf, test } from 'vitest';
import { createClient, hrefOf, type Item, queryText, type Request } from './index.ts';

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
  const url = '/api/work-orders/a%2Fb%3F/accept';
  expect(asked).toEqual([{ id: 'acceptWorkOrder', method: 'POST', url, body: { version: 1 }, signal }]);
});

test('a list is walked to its end', async () => {
  const { all, asked } = clientOf({ items: [1, 2], next: 'n' }, { items: [3], next: null });
  const faults = await all('listFaults', { query: { state: 'open' } });
  expectTypeOf(faults).toEqualTypeOf<Item<'listFaults'>[]>();
  expect(faults).toEqual([1, 2, 3]);
  expect(asked.map(({ url }) => url)).toEqual([
    '/api/faults?limit=500&state=open',
    '/api/faults?limit=500&state=open&after=n',
  ]);
});

test('what is asked of a person may be left out where nothing is required', async () => {
  const { ask, asked } = clientOf(undefined);
  expect(await ask('logout')).toBeUndefined();
  expect(asked[0]).toEqual({ id: 'logout', method: 'POST', url: '/api/logout' });
});

test('a change names the version that it was made on', async () => {
  const { ask, asked } = clientOf();
  await ask('deleteWebhook', { path: { id: 'x' } }, { version: 0, headers: { 'x-a': 'b' } });
  expect(asked[0]!.headers).toEqual({ 'if-match': '"0"', 'x-a': 'b' });
});

test('a body that is a file goes as it is', async () => {
  const { ask, asked } = clientOf();
  const body = new Blob(['a'], { type: 'image/png' });
  await ask('createWorkOrderPhoto', { path: { id: 'x' }, query: { kind: 'before' }, body });
  expect(asked[0]!.body).toBe(body);
  // @ts-expect-error -- no file
  await ask('createWorkOrderPhoto', { path: { id: 'x' }, query: { kind: 'before' }, body: { version: 1 } });
});

test('what is no call has the address of its operation', () => {
  expect(hrefOf('streamChanges')).toBe('/api/changes');
  expect(hrefOf('streamLive', { query: { equipment: 'a&b', building: undefined } })).toBe(
    '/api/live?equipment=a%26b',
  );
  // @ts-expect-error -- a link without what it needs
  expect(() => hrefOf('getWorkOrderPhoto', { path: { id: 'x' } })).toThrow('needs photoId');
});

test('a query leaves out what is not given', () => {
  expect(queryText({ a: 1, b: undefined, c: 'x y' })).toBe('?a=1&c=x+y');
  expect(queryText({})).toBe('');
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
