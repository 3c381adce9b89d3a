import type { FactorKind, Gateway, Invitation, Me, Person, PersonGrant, PlaceTree } from '@parkline/contract';
import type { PeopleDoor } from '#lib/api/people.ts';

/** Whose people the reader administers. */
export const doorOf = (me: Pick<Me, 'tenantId'> | undefined): PeopleDoor => (me?.tenantId ? 'my/' : '');

/** What the steps of setting a park up are read from; undefined: not known yet, or not for the reader. */
export interface ParkSoFar {
  readonly kinds: readonly FactorKind[];
  readonly places: PlaceTree | undefined;
  /** The first of all people: one of them is the reader. */
  readonly people: readonly Person[] | undefined;
  readonly invitations: readonly Invitation[] | undefined;
  readonly gateways: readonly Gateway[] | undefined;
}
export type FirstStep = 'factor' | 'places' | 'people' | 'gateways';

/**
 * Which of the first steps are done; undefined while that is not known, and once the park is set up. A second factor
 * is the reader's own and may be optional: it keeps nobody at the steps of the park. Pure.
 */
export function firstStepsOf(so: ParkSoFar): Readonly<Record<FirstStep, boolean>> | undefined {
  if (!so.places || !so.people || !so.invitations || !so.gateways) return undefined;
  const park = {
    places: so.places.sites.length > 0,
    people: so.people.length > 1 || so.invitations.length > 0,
    gateways: so.gateways.length > 0,
  };
  return Object.values(park).every(Boolean) ? undefined : { factor: so.kinds.length > 0, ...park };
}

/** The name of the place that a right holds for; undefined: everywhere, or one that the reader does not see. Pure. */
export function placeName(
  { siteId, buildingId }: Pick<PersonGrant, 'siteId' | 'buildingId'>,
  places: PlaceTree | undefined,
): string | undefined {
  for (const site of places?.sites ?? []) {
    if (site.id === siteId) return site.name;
    const building = site.buildings.find(({ id }) => id === buildingId);
    if (building) return building.name;
  }
  return undefined;
}

/** Buildings and their floors, as a technician's areas are chosen. Pure. */
export const areaChoices = (places: PlaceTree | undefined): { id: string; name: string }[] =>
  (places?.sites ?? []).flatMap(({ buildings }) =>
    buildings.flatMap(({ id, name, floors }) => [
      { id, name },
      ...floors.map((floor) => ({ id: floor.id, name: `${name} › ${floor.name}` })),
    ]),
  );
