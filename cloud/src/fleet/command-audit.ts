import { audit } from '../identity/index.ts';
import type { Db } from '../platform/db.ts';

/** What happened to a command. */
export interface CommandDeed {
  readonly accountId: string;
  readonly at: Date;
  readonly commandId: string;
  readonly pointId: string;
  readonly action:
    'requested' | 'approved' | 'rejected' | 'cancelled' | 'sent' | 'expired' | `result.${string}`;
  /** Absent: the system itself. */
  readonly person?: { readonly id: string; readonly name: string };
  readonly ip?: string;
  readonly details?: object;
}

/** Adds to the account's chain, in the transaction of the deed. */
export const auditCommand = (
  trx: Db,
  { accountId, at, commandId, pointId, action, person, ip, details }: CommandDeed,
): Promise<void> =>
  audit(trx, {
    ...{ accountId, at, personId: person?.id ?? null, action: `command.${action}`, subjectId: commandId },
    ...{ details: { ...details, pointId }, ...(ip !== undefined && { ip }) },
  });
