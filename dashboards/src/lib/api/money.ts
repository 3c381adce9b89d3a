import type {
  BillingRun,
  BillingRunSummary,
  LineInterval,
  Statement,
  Usage,
  UsageBy,
  UsagePoint,
  UsageSummary,
} from '@parkline/contract';
import type { Caller, Listing, Signal } from './caller.ts';

/** What a tenant uses, and how the bills came about. */
export function createMoneyApi({ call, all }: Caller) {
  return {
    mySummary: (signal?: Signal) => call<UsageSummary>('/api/my/summary', { signal }),
    myUsagePoints: (signal?: Signal) => all<UsagePoint>('/api/my/usage-points', {}, signal),
    /** `from` inclusive, `to` exclusive, both Unix ms. */
    myUsage: (id: string, range: { from: number; to: number; by: UsageBy }, signal?: Signal) =>
      call<Usage>(`/api/my/usage-points/${encodeURIComponent(id)}/usage`, {
        query: {
          from: new Date(range.from).toISOString(),
          to: new Date(range.to).toISOString(),
          by: range.by,
        },
        signal,
      }),

    billingRuns: (signal?: Signal) => all<BillingRunSummary>('/api/billing-runs', {}, signal),
    billingRun: (id: string, signal?: Signal) =>
      call<BillingRun>(`/api/billing-runs/${encodeURIComponent(id)}`, { signal }),
    statement: (id: string, signal?: Signal) =>
      call<Statement>(`/api/statements/${encodeURIComponent(id)}`, { signal }),
    lineIntervals: (id: string, page: { limit: number; after: string | undefined }, signal?: Signal) =>
      call<Listing<LineInterval>>(`/api/statement-lines/${encodeURIComponent(id)}/intervals`, {
        query: page,
        signal,
      }),
  };
}
