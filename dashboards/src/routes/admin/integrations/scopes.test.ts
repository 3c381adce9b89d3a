import { expect, test } from 'vitest';
import { groupsOf } from './scopes.ts';

test('only what can be given is offered, by what it is about', () => {
  expect(groupsOf(['audit.read', 'place.write', 'place.read', 'from.tomorrow'])).toEqual([
    { group: 'places', scopes: ['place.read', 'place.write'] },
    { group: 'people', scopes: ['audit.read'] },
  ]);
});
