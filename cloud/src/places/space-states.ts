import type { SpaceState } from '@parkline/contract';

/** What a person may make of a state. Leased and vacant are what the leases say, so nobody chooses between these two. */
const choices: Readonly<Record<SpaceState, readonly SpaceState[]>> = {
  vacant: ['intent', 'fit_out', 'locked'],
  intent: ['vacant', 'fit_out', 'locked'],
  leased: ['fit_out', 'locked'],
  fit_out: ['vacant', 'leased', 'intent', 'locked'],
  locked: ['vacant', 'leased', 'intent', 'fit_out'],
};

export type StateRefusal = 'same' | 'not_from_here' | 'is_leased' | 'not_leased';

/** Whether somebody may set a state by hand; `leased`: a lease runs today. Undefined: yes. Pure. */
export function stateRefusal(from: SpaceState, to: SpaceState, leased: boolean): StateRefusal | undefined {
  if (from === to) return 'same';
  if (!choices[from].includes(to)) return 'not_from_here';
  if (leased && (to === 'vacant' || to === 'intent')) return 'is_leased';
  if (!leased && to === 'leased') return 'not_leased';
  return undefined;
}

/** What a state becomes by the leases of today alone: a space that is worked on or locked stays so. Pure. */
export function followedState(state: SpaceState, leased: boolean): SpaceState {
  if (leased && (state === 'vacant' || state === 'intent')) return 'leased';
  return !leased && state === 'leased' ? 'vacant' : state;
}
