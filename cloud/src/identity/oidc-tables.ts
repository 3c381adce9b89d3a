import type { Generated } from 'kysely';

declare module '../platform/db.ts' {
  interface Tables {
    identityProvider: {
      id: string;
      accountId: string;
      name: string;
      issuer: string;
      clientId: string;
      sealedClientSecret: string | null;
      trustSecondFactor: Generated<boolean>;
      secondFactorAcr: Generated<string[]>;
      defaultRole: string | null;
      version: Generated<number>;
      createdAt: Generated<Date>;
    };
    personIdentity: {
      accountId: string;
      providerId: string;
      subject: string;
      personId: string;
      linkedAt: Date;
    };
    oidcFlow: {
      stateHash: Buffer;
      accountId: string;
      providerId: string;
      browserHash: Buffer;
      nonce: string;
      codeVerifier: string;
      back: string;
      personId: string | null;
      expiresAt: Date;
    };
  }
}
