import type { Commodity } from '@parkline/contract';
import type { Generated } from 'kysely';
import type { LocalText } from '../platform/i18n.ts';

declare module '../platform/db.ts' {
  interface Tables {
    usagePoint: {
      id: string;
      accountId: string;
      key: string;
      name: LocalText;
      commodity: Commodity;
      unit: string;
      spaceId: string;
      parentId: Generated<string | null>;
      /** The device whose space made it; null where a plan did. */
      equipmentId: Generated<string | null>;
    };
    registerMultiplier: {
      accountId: string;
      pointId: string;
      /** '-infinity': for all that was counted. */
      fromAt: Date;
      /** numeric: pg hands it over as text. */
      multiplier: string;
    };
    meterInstallation: {
      id: string;
      accountId: string;
      usagePointId: string;
      pointId: string;
      /** numeric: pg hands it over as text. */
      multiplier: Generated<string>;
      /** Null: since the meter is known. */
      fromAt: Generated<Date | null>;
      /** Exclusive; null while it hangs there. */
      toAt: Generated<Date | null>;
      startCounts: Generated<number | null>;
      finalCounts: Generated<number | null>;
    };
  }
}
