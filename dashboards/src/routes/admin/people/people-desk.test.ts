import type { Gateway, Invitation, Person, PlaceTree } from '@parkline/contract';
import { expect, test } from 'vitest';
import { firstStepsOf, type ParkSoFar } from './people-desk.ts';

const [site, reader, other, invitation, gateway] = [
  {} as PlaceTree['sites'][number],
  {} as Person,
  {} as Person,
  {} as Invitation,
  {} as Gateway,
];
const empty: ParkSoFar = {
  kinds: [],
  places: { sites: [] } as unknown as PlaceTree,
  people: [reader],
  invitations: [],
  gateways: [],
};
const full: ParkSoFar = {
  ...empty,
  places: { sites: [site] } as unknown as PlaceTree,
  people: [reader, other],
  gateways: [gateway],
};
const nothing = { factor: false, places: false, people: false, gateways: false };

test('of an empty park no step is done, and each is ticked off by itself', () => {
  expect(firstStepsOf(empty)).toEqual(nothing);
  expect(firstStepsOf({ ...empty, kinds: ['totp'] })).toEqual({ ...nothing, factor: true });
  expect(firstStepsOf({ ...empty, places: full.places })).toEqual({ ...nothing, places: true });
  expect(firstStepsOf({ ...empty, invitations: [invitation] })).toEqual({ ...nothing, people: true });
  expect(firstStepsOf({ ...empty, people: full.people })).toEqual({ ...nothing, people: true });
  expect(firstStepsOf({ ...empty, gateways: full.gateways })).toEqual({ ...nothing, gateways: true });
});

test('a park that is set up has no steps left, also where the reader does without a second factor', () => {
  expect(firstStepsOf(full)).toBeUndefined();
});

test.each(['places', 'people', 'invitations', 'gateways'] as const)(
  'while %s are not known, nothing is said',
  (name) => {
    expect(firstStepsOf({ ...empty, [name]: undefined })).toBeUndefined();
  },
);
