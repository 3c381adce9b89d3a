import type { Language, PlaceTree } from '@parkline/contract';
import { inLanguage, type LocalText } from '../platform/i18n.ts';

interface Named {
  readonly id: string;
  readonly name: LocalText;
}
export type SiteRow = Named & { readonly timezone: string; readonly currency: string };
export type BuildingRow = Named & { readonly siteId: string };
export type FloorRow = Named & { readonly buildingId: string; readonly level: number };

/** Hangs floors below buildings below sites; the order of the rows is kept. Pure. */
export function placeTree(
  rows: {
    readonly sites: readonly SiteRow[];
    readonly buildings: readonly BuildingRow[];
    readonly floors: readonly FloorRow[];
  },
  language: Language,
): PlaceTree {
  const floorsOf = Map.groupBy(rows.floors, ({ buildingId }) => buildingId);
  const buildingsOf = Map.groupBy(rows.buildings, ({ siteId }) => siteId);
  const named = ({ id, name }: Named) => ({ id, name: inLanguage(name, language) });
  return {
    sites: rows.sites.map((site) => ({
      ...named(site),
      timezone: site.timezone,
      currency: site.currency,
      buildings: (buildingsOf.get(site.id) ?? []).map((building) => ({
        ...named(building),
        floors: (floorsOf.get(building.id) ?? []).map((floor) => ({ ...named(floor), level: floor.level })),
      })),
    })),
  };
}
