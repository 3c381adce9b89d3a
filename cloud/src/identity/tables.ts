import type { Generated } from 'kysely';
import type { LocalText } from '../platform/i18n.ts';

declare module '../platform/db.ts' {
  interface Tables {
    account: { id: string; key: string; name: LocalText; createdAt: Generated<Date> };
    person: {
      id: string;
      accountId: string;
      /** Set for who belongs to a tenant. */
      tenantId: Generated<string | null>;
      login: string;
      name: string;
      passwordHash: string;
      skills: Generated<string[]>;
      createdAt: Generated<Date>;
      disabledAt: Generated<Date | null>;
    };
    /** A role, on the whole account, on a site or on a building: at most one of the two is set. */
    roleGrant: {
      id: string;
      accountId: string;
      personId: string;
      role: string;
      siteId: string | null;
      buildingId: string | null;
    };
    /** Where a technician works; exactly one of the two places is set. */
    personArea: { accountId: string; personId: string; buildingId: string | null; floorId: string | null };
    session: {
      id: string;
      accountId: string;
      personId: string;
      tokenHash: Buffer;
      createdAt: Date;
      seenAt: Date;
      expiresAt: Date;
    };
    auditEvent: {
      id: Generated<string>;
      accountId: string;
      at: Date;
      personId: string | null;
      action: string;
      subjectId: string | null;
      details: Generated<unknown>;
      ip: string | null;
    };
  }
}
