import type { GeneratedAlways } from 'kysely';
import type { LocalText } from '../platform/i18n.ts';

declare module '../platform/db.ts' {
  interface Tables {
    tenant: { id: string; accountId: string; key: string; name: LocalText };
    lease: {
      id: string;
      accountId: string;
      tenantId: string;
      key: string;
      /** 'YYYY-MM-DD' goes in; read it as text, for pg would make a local midnight of it. */
      fromDate: string;
      /** The day after the last one. */
      toDate: string | null;
      headcount: number | null;
    };
    leaseSpace: {
      accountId: string;
      leaseId: string;
      tenantId: string;
      spaceId: string;
      fromDate: GeneratedAlways<string>;
      toDate: GeneratedAlways<string | null>;
    };
  }
}
