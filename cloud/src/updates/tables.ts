import type { UpdateState } from '@parkline/contract';
import type { Generated } from 'kysely';

declare module '../platform/db.ts' {
  interface Tables {
    release: {
      id: string;
      accountId: string;
      version: string;
      platforms: string[];
      manifest: string;
      signature: string;
      manifestSha256: string;
      packSha256: string;
      /** bigint: text. */
      packBytes: string;
      chunks: number;
      madeAt: Date;
      uploadedAt: Date;
      uploadedBy: string;
    };
    releaseChunk: { accountId: string; releaseId: string; n: number; bytes: Buffer };
    rollout: {
      id: string;
      accountId: string;
      releaseId: string;
      url: string | null;
      state: 'running' | 'stopped';
      createdAt: Date;
      createdBy: string;
      stoppedAt: Date | null;
    };
    gatewayUpdate: {
      id: string;
      accountId: string;
      rolloutId: string;
      gatewayId: string;
      state: UpdateState;
      why: string | null;
      chunksSent: Generated<number>;
      offeredAt: Date | null;
      changedAt: Date;
    };
  }
}
