import type { BillingRunState, Commodity } from '@parkline/contract';
import type { LocalText } from '../platform/i18n.ts';

declare module '../platform/db.ts' {
  interface Tables {
    tariff: {
      id: string;
      accountId: string;
      siteId: string;
      key: string;
      name: LocalText;
      commodity: Commodity;
    };
    billingRun: {
      id: string;
      accountId: string;
      state: BillingRunState;
      inputsHash: string;
    };
  }
}
