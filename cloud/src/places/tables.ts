import type { SpaceKind, SpaceState } from '@parkline/contract';
import type { Generated } from 'kysely';
import type { LocalText } from '../platform/i18n.ts';

/** Rises with every change that a person or an import makes. */
type Version = Generated<number>;

declare module '../platform/db.ts' {
  interface Tables {
    site: {
      id: string;
      accountId: string;
      key: string;
      name: LocalText;
      timezone: string;
      currency: string;
      version: Version;
    };
    building: {
      id: string;
      accountId: string;
      siteId: string;
      key: string;
      name: LocalText;
      ord: number;
      version: Version;
    };
    floor: {
      id: string;
      accountId: string;
      buildingId: string;
      key: string;
      name: LocalText;
      level: number;
      version: Version;
    };
    space: {
      id: string;
      accountId: string;
      buildingId: string;
      floorId: string;
      key: string;
      name: LocalText;
      kind: SpaceKind;
      state: Generated<SpaceState>;
      version: Version;
    };
    /** The area of a day is that of the newest row not after it, else of the oldest: `space_area_on`. */
    spaceArea: {
      accountId: string;
      spaceId: string;
      /** 'YYYY-MM-DD', or '-infinity': since ever. Read it as text. */
      fromDate: string;
      /** numeric: pg hands it over as text. */
      areaM2: string;
    };
    spaceStateChange: {
      id: string;
      accountId: string;
      spaceId: string;
      at: Date;
      fromState: SpaceState;
      state: SpaceState;
      personId: string | null;
      why: string;
    };
  }
}
