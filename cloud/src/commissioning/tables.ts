import type {
  CheckedReading,
  CommissioningState,
  RatioApplied,
  ReportContent,
  SignAs,
} from '@parkline/contract';
import type { ColumnType, Generated } from 'kysely';

type Json<T> = ColumnType<T, string, string>;

declare module '../platform/db.ts' {
  interface Tables {
    commissioning: {
      equipmentId: string;
      accountId: string;
      pointId: string;
      state: CommissioningState;
      version: Generated<number>;
      serial: string | null;
      ctRatio: string | null;
      ptRatio: string | null;
      ratioApplied: RatioApplied | null;
      display: string | null;
      readAt: Date | null;
      laterDisplay: string | null;
      laterReadAt: Date | null;
      photoId: string | null;
      recordedBy: string | null;
      recordedAt: Date | null;
      checks: ColumnType<CheckedReading[], string | undefined, string>;
      /** numeric: text. */
      meteringMultiplier: string | null;
      ratioFault: 'applied_twice' | 'not_applied' | null;
      checkedAt: Date | null;
      waivedBy: string | null;
      waivedAt: Date | null;
      waiveReason: string | null;
    };
    commissioningReport: {
      id: string;
      accountId: string;
      gatewayId: string;
      seq: number;
      content: Json<ReportContent>;
      createdAt: Date;
      createdBy: string;
      pdf: Generated<Buffer | null>;
      proof: Generated<string | null>;
      signature: Generated<string | null>;
      publicKey: Generated<string | null>;
    };
    commissioningSignature: {
      accountId: string;
      reportId: string;
      signedAs: SignAs;
      personId: string;
      personName: string;
      at: Date;
      factor: string;
    };
  }
}
