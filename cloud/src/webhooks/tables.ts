import type { DeliveryState, PauseWhy } from '@parkline/contract';
import type { Generated } from 'kysely';

declare module '../platform/db.ts' {
  interface Tables {
    webhook: {
      id: string;
      accountId: string;
      name: string;
      url: string;
      kinds: string[];
      sealedSecret: string;
      version: Generated<number>;
      createdAt: Date;
      pausedAt: Generated<Date | null>;
      pausedWhy: Generated<PauseWhy | null>;
      failingSince: Generated<Date | null>;
      deliveredAt: Generated<Date | null>;
    };
    webhookFormerSecret: {
      id: string;
      accountId: string;
      webhookId: string;
      sealedSecret: string;
      validUntil: Date;
    };
    webhookDelivery: {
      id: string;
      accountId: string;
      webhookId: string;
      eventId: string;
      kind: string;
      body: string;
      state: DeliveryState;
      createdAt: Date;
      nextAt: Date | null;
      attempts: Generated<number>;
      firstAt: Generated<Date | null>;
      lastAt: Generated<Date | null>;
      status: Generated<number | null>;
      reply: Generated<string | null>;
      error: Generated<string | null>;
    };
  }
}
