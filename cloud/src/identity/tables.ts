import type { Generated, GeneratedAlways } from 'kysely';
import type { LocalText } from '../platform/i18n.ts';

declare module '../platform/db.ts' {
  interface Tables {
    account: {
      id: string;
      key: string;
      name: LocalText;
      createdAt: Generated<Date>;
      version: Generated<number>;
    };
    person: {
      id: string;
      accountId: string;
      /** Set for who belongs to a tenant. */
      tenantId: Generated<string | null>;
      login: string;
      name: string;
      /** Null: nobody logs in with a password as this person. */
      passwordHash: string | null;
      email: Generated<string | null>;
      language: Generated<string>;
      skills: Generated<string[]>;
      createdAt: Generated<Date>;
      disabledAt: Generated<Date | null>;
      erasedAt: Generated<Date | null>;
      version: Generated<number>;
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
      /** When a second factor was last given in it. */
      factorAt: Generated<Date | null>;
      ip: Generated<string | null>;
      device: Generated<string>;
      /** What a passkey has to sign next, base64url. */
      challenge: Generated<string | null>;
      challengeAt: Generated<Date | null>;
    };
    /** Only ever added to; its place in the chain is given by the database. */
    auditEvent: {
      id: GeneratedAlways<string>;
      /** Null until the transaction commits; bigint: pg hands it over as text. */
      seq: GeneratedAlways<string | null>;
      accountId: string;
      at: Date;
      personId: string | null;
      action: string;
      subjectId: string | null;
      result: Generated<'done' | 'refused'>;
      reason: Generated<string | null>;
      content: unknown;
    };
  }
}
