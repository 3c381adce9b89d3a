import type { SpaceKind } from '@parkline/contract';
import type { LocalText } from '../platform/i18n.ts';

declare module '../platform/db.ts' {
  interface Tables {
    site: { id: string; accountId: string; key: string; name: LocalText; timezone: string; currency: string };
    building: { id: string; accountId: string; siteId: string; key: string; name: LocalText; ord: number };
    floor: { id: string; accountId: string; buildingId: string; key: string; name: LocalText; level: number };
    space: {
      id: string;
      accountId: string;
      buildingId: string;
      floorId: string;
      key: string;
      name: LocalText;
      kind: SpaceKind;
      /** numeric: pg hands it over as text. */
      areaM2: string;
    };
  }
}
