import type { Me, PersonGrant, PlaceTree } from '@parkline/contract';
import type { PeopleDoor } from '#lib/api/people.ts';

/** Whose people the reader administers. */
export const doorOf = (me: Pick<Me, 'tenantId'> | undefined): PeopleDoor => (me?.tenantId ? 'my/' : '');

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
