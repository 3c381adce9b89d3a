import type { MappedPark } from '@parkline/contract';
import type { Generated } from 'kysely';

export type ConfigState = 'waiting' | 'sent' | 'applied' | 'kept' | 'rolled-back' | 'refused' | 'overtaken';
export type MappingState = 'offered' | 'accepted' | 'rejected' | 'overtaken';

declare module '../platform/db.ts' {
  interface Tables {
    claimCode: {
      id: string;
      accountId: string;
      gatewayId: string;
      codeHash: Buffer;
      createdAt: Date;
      createdBy: string | null;
      expiresAt: Date;
      revokedAt: Generated<Date | null>;
      burnedAt: Generated<Date | null>;
      /** The key that used it and may have the answer again. */
      burnedNkey: Generated<string | null>;
      reusedAt: Generated<Date | null>;
      failures: Generated<number>;
      failedAt: Generated<Date | null>;
    };
    claimChallenge: { hash: Buffer; accountId: string; codeId: string; expiresAt: Date };
    gatewayCredential: {
      id: string;
      accountId: string;
      gatewayId: string;
      nkey: string;
      signingKey: string;
      tlsKey: string;
      codeId: string | null;
      createdAt: Date;
      issueDue: Generated<boolean>;
      issuedAt: Generated<Date | null>;
      jwt: Generated<string | null>;
      certificate: Generated<string | null>;
      ca: Generated<string | null>;
      expiresAt: Generated<Date | null>;
      failure: Generated<string | null>;
      revokedAt: Generated<Date | null>;
      revokePushedAt: Generated<Date | null>;
    };
    cloudKey: { onlyOne: Generated<boolean>; publicKey: string; at: Date };
    gatewayConfig: {
      id: string;
      accountId: string;
      gatewayId: string;
      n: number;
      yaml: string;
      source: 'made' | 'file' | 'gateway';
      createdAt: Date;
      createdBy: string | null;
      sentHash: Generated<string | null>;
      offeredAt: Generated<Date | null>;
      state: ConfigState;
      why: Generated<string>;
      endedAt: Generated<Date | null>;
    };
    gatewayMapping: {
      id: string;
      accountId: string;
      gatewayId: string;
      hash: string;
      park: MappedPark;
      receivedAt: Date;
      state: MappingState;
      decidedAt: Generated<Date | null>;
      decidedBy: Generated<string | null>;
    };
    gatewayAsk: {
      id: string;
      accountId: string;
      gatewayId: string;
      what: 'rotate' | 'logs';
      lines: number | null;
      askedAt: Date;
      askedBy: string | null;
      expiresAt: Date;
      sentAt: Generated<Date | null>;
      answeredAt: Generated<Date | null>;
      answer: Generated<{ lines: string[]; truncated: boolean } | null>;
    };
  }
}
