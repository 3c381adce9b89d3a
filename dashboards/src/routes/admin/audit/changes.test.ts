import { expect, test } from 'vitest';
import { changesOf, detailsOf, operatorOf, repeatsOf, routeOf } from './changes.ts';

test('fields stand side by side, what stayed is left out, and what is not there is not empty', () => {
  expect(changesOf({ name: 'Eve', area: 10, same: [1] }, { name: 'Eva', same: [1], mail: '' })).toEqual([
    { field: 'name', before: 'Eve', after: 'Eva' },
    { field: 'area', before: '10', after: undefined },
    { field: 'mail', before: undefined, after: '' },
  ]);
});

test('a thing that was made has no before', () => {
  expect(changesOf(null, { key: 'm' })).toEqual([{ field: 'key', before: undefined, after: 'm' }]);
  expect(changesOf(null, null)).toEqual([]);
});

test('details are told as they are', () => {
  expect(detailsOf({ why: 'late', ids: ['a'] })).toEqual([
    ['why', 'late'],
    ['ids', '["a"]'],
  ]);
  expect(detailsOf(null)).toEqual([]);
});

test('who did it by the command line is told apart from what else was noted', () => {
  const details = { import: 'b-1', commandLine: 'root' };
  expect([operatorOf(details), detailsOf(details)]).toEqual(['root', [['import', 'b-1']]]);
  expect([operatorOf({ import: 'b-1' }), operatorOf(null)]).toEqual([undefined, undefined]);
});

test('a refusal says of what it was and how often it came again', () => {
  expect(repeatsOf({ route: 'PUT /api/things/:id', again: 4 })).toEqual({ kind: 'again', count: 4 });
  expect(routeOf({ route: 'PUT /api/things/:id', again: 4 })).toBe('PUT /api/things/:id');
  expect(detailsOf({ route: 'PUT /api/things/:id', again: 4, by: 'display' })).toEqual([['by', 'display']]);
  expect(repeatsOf({ further: 12 })).toEqual({ kind: 'further', count: 12 });
  for (const none of [{ route: 'PUT /api/things/:id' }, { again: 'x' }, null])
    expect(repeatsOf(none)).toBeUndefined();
});
