import { spaceStates } from '@parkline/contract';
import { expect, test } from 'vitest';
import { followedState, stateRefusal } from './space-states.ts';

test.each([
  ['vacant', 'intent', false, undefined],
  ['vacant', 'leased', false, 'not_from_here'],
  ['intent', 'leased', true, 'not_from_here'],
  ['leased', 'vacant', false, 'not_from_here'],
  ['leased', 'fit_out', true, undefined],
  ['fit_out', 'leased', true, undefined],
  ['fit_out', 'leased', false, 'not_leased'],
  ['fit_out', 'vacant', true, 'is_leased'],
  ['locked', 'vacant', false, undefined],
  ['locked', 'intent', true, 'is_leased'],
  ['vacant', 'vacant', false, 'same'],
] as const)('from %s to %s, leased %s: %s', (from, to, leased, why) => {
  expect(stateRefusal(from, to, leased)).toBe(why);
});

test('whatever people choose, leases bring a space to rest, and once', () => {
  for (const state of spaceStates)
    for (const leased of [true, false]) {
      const after = followedState(state, leased);
      expect(followedState(after, leased)).toBe(after);
      if (after === 'vacant' || after === 'intent') expect(leased).toBe(false);
      if (after === 'leased') expect(leased).toBe(true);
    }
});

test('out of every state a person finds a way that the leases allow', () => {
  for (const from of spaceStates)
    for (const leased of [true, false])
      if (followedState(from, leased) === from)
        expect(spaceStates.filter((to) => stateRefusal(from, to, leased) === undefined)).not.toEqual([]);
});
