import type { Generated } from 'kysely';
import type { LocalText } from '../platform/i18n.ts';

declare module '../platform/db.ts' {
  interface Tables {
    account: { id: string; key: string; name: LocalText; createdAt: Generated<Date> };
    person: {
      id: string;
      accountId: string;
      login: string;
      name: string;
      passwordHash: string;
      roles: string[];
      createdAt: Generated<Date>;
      disabledAt: Date | null;
    };
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
