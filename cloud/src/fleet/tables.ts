import type { OwnTags, PlanMarks, PointKind, PointSource, Unit, WriteLimits } from '@parkline/contract';
import type { Generated, GeneratedAlways } from 'kysely';
import type { LocalText } from '../platform/i18n.ts';

/** Where a device hangs on its bus, in the words of its protocol; read it through `readAddress`. */
export type EquipmentParams = Readonly<Record<string, unknown>>;

declare module '../platform/db.ts' {
  interface Tables {
    gateway: {
      id: string;
      accountId: string;
      buildingId: string;
      key: string;
      name: LocalText;
      /** Ed25519 (SPKI PEM): what it sends is believed when this or the next one signed it. */
      publicKey: Generated<string | null>;
      nextPublicKey: Generated<string | null>;
      version: Generated<number>;
      revokedAt: Generated<Date | null>;
      claimedAt: Generated<Date | null>;
      connectedAt: Generated<Date | null>;
      configuredAt: Generated<Date | null>;
      firstValueAt: Generated<Date | null>;
    };
    equipment: {
      id: string;
      accountId: string;
      buildingId: string;
      floorId: string | null;
      gatewayId: string;
      submeterOf: string | null;
      key: string;
      name: LocalText;
      kind: string;
      template: string;
      protocol: string;
      bus: string;
      params: EquipmentParams;
      /** Grows by itself with every change. */
      version: Generated<number>;
      spaceId: Generated<string | null>;
      tags: Generated<OwnTags>;
      brick: Generated<string | null>;
      retiredAt: Generated<Date | null>;
    };
    point: {
      id: string;
      num: GeneratedAlways<number>;
      accountId: string;
      equipmentId: string;
      key: string;
      name: LocalText;
      unit: Unit;
      kind: PointKind;
      resolution: number;
      decimals: number;
      protocol: string;
      pollMs: number;
      heartbeatMs: number;
      staleAfterMs: GeneratedAlways<number>;
      /** Of a state: what its whole numbers mean. */
      states: Generated<Readonly<Record<string, LocalText>> | null>;
      /** How far it may be written; null: read only. */
      write: Generated<WriteLimits | null>;
      version: Generated<number>;
      spaceId: Generated<string | null>;
      tags: Generated<OwnTags>;
      brick: Generated<string | null>;
      /** How it is read, where its template does not have it. */
      source: Generated<PointSource | null>;
      retiredAt: Generated<Date | null>;
    };
    bus: {
      id: string;
      accountId: string;
      gatewayId: string;
      key: string;
      protocol: string;
      /** Of the driver's connection, without secrets. */
      params: Readonly<Record<string, unknown>>;
      version: Generated<number>;
    };
    equipmentSecret: {
      accountId: string;
      equipmentId: string;
      name: string;
      sealedValue: string;
      setAt: Date;
    };
    busSecret: { accountId: string; busId: string; name: string; sealedValue: string; setAt: Date };
    floorPlan: {
      floorId: string;
      accountId: string;
      mediaType: 'image/webp' | 'image/svg+xml';
      width: number;
      height: number;
      sha256: Buffer;
      bytes: Buffer;
      marks: PlanMarks;
      version: Generated<number>;
      changedAt: Date;
      changedBy: string;
    };
    /** What a unit works for; exactly one of the two places is set. */
    equipmentServes: {
      accountId: string;
      equipmentId: string;
      floorId: string | null;
      spaceId: string | null;
    };
    gatewayStatus: {
      gatewayId: string;
      accountId: string;
      heardAt: Date;
      reportedAt: Date | null;
      startedAt: Date | null;
      version: string | null;
      /** bigint columns: pg hands them over as text. */
      outboxPending: string | null;
      /** Null: it does not say. */
      writing: Generated<'on' | 'off' | null>;
      outboxOldestAt: Date | null;
      outboxBytes: string | null;
      outboxMaxBytes: string | null;
      outboxWaitingBytes: string | null;
      outboxHoursLeft: number | null;
      /** ms that its clock is ahead of the cloud's; bigint as text. */
      clockSkewMs: Generated<string | null>;
      clockMeasuredAt: Generated<Date | null>;
      clockReportAt: Generated<string | null>;
      clockReportOffMs: Generated<string | null>;
    };
    deviceStatus: {
      equipmentId: string;
      accountId: string;
      state: 'online' | 'silent' | 'starting';
      lastOkAt: Date | null;
      error: string | null;
      reportedAt: Generated<Date>;
    };
  }
}
