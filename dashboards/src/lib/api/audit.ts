import type { AuditResult } from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

/** Who did what. */
export function createAuditApi({ ask }: Caller) {
  return {
    /** Newest first; `action` is a whole one or the thing before its dot. */
    auditPage: (
      query: {
        action?: string;
        person?: string;
        result?: AuditResult;
        limit: number;
        after?: string | undefined;
      },
      signal?: Signal,
    ) => ask('listAudit', { query }, { signal }),
  };
}
