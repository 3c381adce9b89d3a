import type { Commodity } from '@parkline/contract';
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
      parentId: string | null;
    };
    meterInstallation: {
      id: string;
      accountId: string;
      usagePointId: string;
      pointId: string;
      /** numeric: pg hands it over as text. */
      multiplier: string;
      /** Null: since the meter is known. */
      fromAt: Date | null;
      /** Exclusive; null while it hangs there. */
      toAt: Date | null;
      startCounts: number | null;
      finalCounts: number | null;
    };
  }
}
