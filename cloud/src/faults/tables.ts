import type { ClearReason, OrderState, Severity } from '@parkline/contract';
import type { Generated } from 'kysely';
import type { Memory } from './judge.ts';

/** What an episode is told from; the words come from the rule, in the language of the reader. */
export interface Evidence {
  readonly values: Readonly<
    Record<string, { readonly value: number; readonly unit: string; readonly decimals: number }>
  >;
  readonly forS: number;
  readonly limit?: number;
  /** ISO; of a silent device and of a silent gateway. */
  readonly lastOkAt?: string | null;
  readonly heardAt?: string | null;
  /** What the gateway said of the device, in its words. */
  readonly error?: string | null;
}

declare module '../platform/db.ts' {
  interface Tables {
    fault: {
      id: string;
      accountId: string;
      rule: string;
      severity: Severity;
      subjectId: string;
      equipmentId: string | null;
      gatewayId: string | null;
      buildingId: string;
      floorId: string | null;
      pointIds: string[];
      evidence: Evidence;
      openedAt: Date;
      clearedAt: Generated<Date | null>;
      clearedWhy: Generated<ClearReason | null>;
      acknowledgedAt: Generated<Date | null>;
      acknowledgedBy: Generated<string | null>;
      causeId: string | null;
      orderId: Generated<string | null>;
      orderNumber: Generated<string | null>;
      orderState: Generated<OrderState | null>;
    };
    faultState: {
      accountId: string;
      rule: string;
      subjectId: string;
      phase: 'pending' | 'open' | null;
      since: Date | null;
      blindSince: Date | null;
      faultId: string | null;
      memory: Memory | null;
    };
    faultBeat: { accountId: string; at: Date };
    faultRuleSetting: {
      accountId: string;
      rule: string;
      enabled: boolean;
      forS: number;
      limitValue: number | null;
      updatedAt: Date;
      updatedBy: string;
      version: Generated<number>;
    };
  }
}
