import type { Generated } from 'kysely';

declare module '../platform/db.ts' {
  interface Tables {
    totp: {
      id: string;
      accountId: string;
      personId: string;
      name: string;
      sealedSecret: string;
      createdAt: Date;
      confirmedAt: Generated<Date | null>;
      /** bigint. */
      lastStep: Generated<string | null>;
      usedAt: Generated<Date | null>;
    };
    passkey: {
      id: string;
      accountId: string;
      personId: string;
      name: string;
      credentialId: Buffer;
      publicKey: Buffer;
      /** bigint. */
      counter: string | number;
      transports: string[];
      createdAt: Date;
      usedAt: Generated<Date | null>;
    };
    recoveryCode: {
      accountId: string;
      personId: string;
      codeHash: Buffer;
      usedAt: Generated<Date | null>;
    };
  }
}
