import type { PointKind, Unit } from '@parkline/contract';
import type { Generated, GeneratedAlways } from 'kysely';
import type { LocalText } from '../platform/i18n.ts';

/** Where a device hangs, in the words of its protocol. */
export interface BusParams {
  readonly unit: number;
  readonly transport: 'tcp' | 'rtu-over-tcp';
}

declare module '../platform/db.ts' {
  interface Tables {
    gateway: {
      id: string;
      accountId: string;
      buildingId: string;
      key: string;
      name: LocalText;
      publicKey: string | null;
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
      params: BusParams;
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
      outboxOldestAt: Date | null;
      outboxBytes: string | null;
      outboxMaxBytes: string | null;
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
