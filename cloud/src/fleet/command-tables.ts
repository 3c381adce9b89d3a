import type { CommandOutcome, CommandState } from '@parkline/contract';

declare module '../platform/db.ts' {
  interface Tables {
    command: {
      id: string;
      accountId: string;
      gatewayId: string;
      equipmentId: string;
      pointId: string;
      /** Engineering value; null gives the point back. */
      value: number | null;
      /** Null: the point stays. */
      holdS: number | null;
      reason: string;
      safety: boolean;
      state: CommandState;
      actorId: string;
      actorName: string;
      approverId: string | null;
      approverName: string | null;
      requestedAt: Date;
      decidedAt: Date | null;
      /** When its state ends by itself. */
      dueAt: Date | null;
      sentAt: Date | null;
      expiresAt: Date | null;
      outcome: Exclude<CommandOutcome, 'released'> | null;
      beforeValue: number | null;
      afterValue: number | null;
      why: string | null;
      endedAt: Date | null;
      heldUntil: Date | null;
      releasedAt: Date | null;
    };
    /** Added to only; what links the entries is made by the database. */
  }
}
