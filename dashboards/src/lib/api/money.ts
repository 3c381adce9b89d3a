import type { UsageBy } from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

/** What a tenant uses, and how the bills came about. */
export function createMoneyApi({ ask, list }: Caller) {
  return {
    mySummary: (signal?: Signal) => ask('getMySummary', {}, { signal }),
    myUsagePoints: (signal?: Signal) => list('listMyUsagePoints', {}, { signal }),
    /** `from` inclusive, `to` exclusive, both Unix ms. */
    myUsage: (id: string, range: { from: number; to: number; by: UsageBy }, signal?: Signal) => {
      const [from, to] = [new Date(range.from).toISOString(), new Date(range.to).toISOString()];
      return ask('getMyUsagePointUsage', { path: { id }, query: { from, to, by: range.by } }, { signal });
    },

    billingRuns: (signal?: Signal) => list('listBillingRuns', {}, { signal }),
    billingRun: (id: string, signal?: Signal) => ask('getBillingRun', { path: { id } }, { signal }),
    statement: (id: string, signal?: Signal) => ask('getStatement', { path: { id } }, { signal }),
    lineIntervals: (id: string, query: { limit: number; after: string | undefined }, signal?: Signal) =>
      ask('listStatementLineIntervals', { path: { id }, query }, { signal }),
  };
}
