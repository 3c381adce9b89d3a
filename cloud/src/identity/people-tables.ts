import type { Generated } from 'kysely';
import './tables.ts';

/** What an invitation or a person is granted, as it is kept in a row. */
export interface GrantRow {
  readonly role: string;
  readonly siteId: string | null;
  readonly buildingId: string | null;
}

declare module '../platform/db.ts' {
  interface Tables {
    invitation: {
      id: string;
      accountId: string;
      tenantId: string | null;
      login: string;
      name: string;
      email: string;
      language: string;
      grants: unknown;
      tokenHash: Generated<Buffer | null>;
      invitedBy: string;
      createdAt: Date;
      sentAt: Generated<Date | null>;
      expiresAt: Date;
      acceptedAt: Generated<Date | null>;
      revokedAt: Generated<Date | null>;
      personId: Generated<string | null>;
    };
    passwordReset: {
      id: string;
      accountId: string;
      personId: string;
      tokenHash: Generated<Buffer | null>;
      askedAt: Date;
      expiresAt: Date;
      usedAt: Generated<Date | null>;
    };
  }
}
