import type { BillingRunState, Commodity } from '@parkline/contract';
import type { Generated } from 'kysely';
import type { LocalText } from '../platform/i18n.ts';
import type { CheckRecord, PoolLineRecord, RegisterRecord } from './record.ts';

/** Amounts are numeric: pg hands them over as text, with the digits they were printed with. */
declare module '../platform/db.ts' {
  interface Tables {
    tariff: {
      id: string;
      accountId: string;
      siteId: string;
      key: string;
      name: LocalText;
      commodity: Commodity;
    };
    billingRun: {
      id: string;
      accountId: string;
      siteName: string;
      timezone: string;
      currency: string;
      /** 'YYYY-MM-DD' goes in; read it as text, for pg would make a local midnight of it. */
      fromDate: string;
      toDate: string;
      intervalMs: number;
      state: Generated<BillingRunState>;
      createdAt: Date;
      lockedAt: Date | null;
      inputsHash: string;
      supplyKwh: string;
      supplyEnergy: string;
      supplyDemand: string;
      supplyPowerFactor: string;
      supplyTotal: string;
      checks: readonly CheckRecord[];
    };
    statement: {
      id: string;
      accountId: string;
      runId: string;
      ord: number;
      party: string;
      kind: 'tenant' | 'landlord';
      kwh: string;
      estimatedKwh: string;
      net: string;
      tax: string;
      total: string;
    };
    statementLine: {
      id: string;
      accountId: string;
      runId: string;
      statementId: string;
      ord: number;
      kind: 'energy' | 'share' | 'rounding';
      quantity: string | null;
      unit: string | null;
      price: string | null;
      amount: string;
      formula: string;
      pool: string | null;
      poolTotal: string | null;
      poolLines: readonly PoolLineRecord[];
      usagePoints: readonly string[];
      meters: readonly string[];
      band: string | null;
      tariffVersion: string | null;
      intervalParty: string | null;
      intervalAt: Date | null;
      intervals: number;
      weight: string | null;
      weightSum: string | null;
    };
    billingInterval: {
      accountId: string;
      runId: string;
      usagePoint: string;
      at: Date;
      party: string | null;
      energy: string;
      through: string;
      quality: 'M' | 'V' | 'E';
      rule: string | null;
      band: string;
      tariffVersion: string;
      registers: readonly RegisterRecord[];
    };
  }
}
