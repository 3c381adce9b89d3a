import type { ContactKind } from '@parkline/contract';
import type { Generated, GeneratedAlways } from 'kysely';
import type { LocalText } from '../platform/i18n.ts';

declare module '../platform/db.ts' {
  interface Tables {
    tenant: { id: string; accountId: string; key: string; name: LocalText; version: Generated<number> };
    /** Personal data: name, phone and mail. */
    tenantContact: {
      id: string;
      accountId: string;
      tenantId: string;
      key: string;
      kind: ContactKind;
      name: string;
      phone: string | null;
      mail: string | null;
      version: Generated<number>;
    };
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
      /** First day that the spaces were, and were not any more, in the tenant's hands. */
      movedInOn: Generated<string | null>;
      movedOutOn: Generated<string | null>;
      version: Generated<number>;
    };
    leaseSpace: {
      accountId: string;
      leaseId: string;
      tenantId: string;
      spaceId: string;
      /** Days of the lease, from moving in to moving out where these were told. */
      fromDate: GeneratedAlways<string>;
      toDate: GeneratedAlways<string | null>;
    };
  }
}
