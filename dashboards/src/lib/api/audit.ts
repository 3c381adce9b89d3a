import type { AuditEntryView } from '@parkline/contract';
import type { Caller, Listing, Signal } from './caller.ts';

/** Who did what. */
export function createAuditApi({ call }: Caller) {
  return {
    /** Newest first; `action` is a whole one or the thing before its dot. */
    auditPage: (
      filter: { action?: string; person?: string; limit: number; after?: string | undefined },
      signal?: Signal,
    ) => call<Listing<AuditEntryView>>('/api/audit', { query: filter, signal }),
  };
}
