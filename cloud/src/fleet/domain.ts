import type {
  DeviceState,
  Equipment,
  EquipmentDetail,
  Gateway,
  KeptSecret,
  Language,
  OwnTags,
} from '@parkline/contract';
import { inLanguage, type LocalText } from '../platform/i18n.ts';
import { addressWords } from './addresses.ts';
import { clockState } from './clock.ts';
import type { EquipmentParams } from './tables.ts';

/** Silence after which a gateway is offline: three of its health messages. */
export const OFFLINE_AFTER_MS = 30_000;

/**
 * The one place that decides whether a gateway is there: by its data as well as by its health messages. Pure.
 * @param heardAt when either came last, by the cloud's clock.
 */
export function gatewayState(
  { heardAt, revokedAt }: { readonly heardAt: Date | null; readonly revokedAt: Date | null },
  now: Date,
): Gateway['state'] {
  if (revokedAt) return 'revoked';
  if (!heardAt) return 'never';
  return now.getTime() - heardAt.getTime() <= OFFLINE_AFTER_MS ? 'online' : 'offline';
}

/** What a device's gateway last said holds only while the gateway is there. Pure. */
export const deviceState = (said: DeviceState | null, gateway: Gateway['state']): DeviceState =>
  gateway === 'online' ? (said ?? 'unknown') : 'unknown';

/** Template keys that stand for a device in lists: its power now and its register. First match wins. */
export const powerKeys = [
  'active_power_total',
  'heat_power',
  'flow',
  'supply_fan_power',
  'motor_power',
] as const;
export const registerKeys = ['active_energy_import', 'heat_energy', 'volume'] as const;

export interface GatewayRow {
  readonly id: string;
  readonly key: string;
  readonly name: LocalText;
  readonly buildingId: string;
  readonly heardAt: Date | null;
  readonly revokedAt: Date | null;
  readonly startedAt: Date | null;
  readonly version: string | null;
  readonly writing: 'on' | 'off' | null;
  /** bigint columns come as text. */
  readonly outboxPending: string | null;
  readonly outboxOldestAt: Date | null;
  readonly outboxBytes: string | null;
  readonly outboxMaxBytes: string | null;
  readonly outboxWaitingBytes: string | null;
  readonly outboxHoursLeft: number | null;
  readonly clockSkewMs: string | null;
  readonly clockMeasuredAt: Date | null;
  readonly devicesTotal: number;
  readonly devicesOnline: number;
}

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;

export function gatewayView(row: GatewayRow, now: Date, language: Language): Gateway {
  const state = gatewayState(row, now);
  const { outboxPending, outboxOldestAt, outboxBytes, outboxMaxBytes, outboxWaitingBytes } = row;
  return {
    id: row.id,
    key: row.key,
    name: inLanguage(row.name, language),
    buildingId: row.buildingId,
    state,
    lastSeenAt: iso(row.heardAt),
    version: row.version,
    writing: row.writing,
    startedAt: iso(row.startedAt),
    outbox:
      outboxPending === null
        ? null
        : {
            pending: Number(outboxPending),
            oldestAt: iso(outboxOldestAt),
            bytes: Number(outboxBytes),
            maxBytes: Number(outboxMaxBytes),
            waitingBytes: outboxWaitingBytes === null ? null : Number(outboxWaitingBytes),
            hoursLeft: row.outboxHoursLeft,
          },
    clock: clockView(row),
    devices: { total: row.devicesTotal, online: state === 'online' ? row.devicesOnline : 0 },
  };
}

function clockView({ clockSkewMs, clockMeasuredAt }: GatewayRow): Gateway['clock'] {
  if (clockSkewMs === null || clockMeasuredAt === null) return null;
  const skewMs = Number(clockSkewMs);
  return { state: clockState(skewMs), skewMs, measuredAt: clockMeasuredAt.toISOString() };
}

export interface EquipmentRow {
  readonly id: string;
  readonly name: LocalText;
  readonly kind: string;
  readonly template: string;
  readonly buildingId: string;
  readonly floorId: string | null;
  readonly gatewayId: string;
  readonly submeterOf: string | null;
  readonly protocol: string;
  readonly bus: string;
  readonly params: EquipmentParams;
  readonly state: DeviceState | null;
  readonly lastOkAt: Date | null;
  readonly error: string | null;
  readonly heardAt: Date | null;
  readonly revokedAt: Date | null;
  readonly powerPointId: string | null;
  readonly registerPointId: string | null;
  /** Ids of floors and spaces. */
  readonly serves: readonly string[];
}

export function equipmentView(row: EquipmentRow, now: Date, language: Language): Equipment {
  const { submeterOf, bus, params, heardAt, revokedAt, ...rest } = row;
  const state = deviceState(row.state, gatewayState({ heardAt, revokedAt }, now));
  return {
    ...rest,
    name: inLanguage(row.name, language),
    address: addressWords(row.protocol, bus, params),
    state,
    lastOkAt: iso(row.lastOkAt),
    // A reason from before the gateway fell silent would be read as today's.
    error: state === 'silent' ? row.error : null,
    submeterOfId: submeterOf,
    serves: [...row.serves],
  };
}

export interface EquipmentDetailRow extends EquipmentRow {
  readonly key: string;
  readonly spaceId: string | null;
  readonly tags: OwnTags;
  readonly brick: string | null;
  readonly retiredAt: Date | null;
  readonly version: number;
  readonly points: number;
  readonly secrets: KeptSecret[];
}

export function equipmentDetail(row: EquipmentDetailRow, now: Date, language: Language): EquipmentDetail {
  const { key, spaceId, tags, brick, retiredAt, version, points, secrets, ...rest } = row;
  return {
    ...equipmentView(rest, now, language),
    ...{ key, names: row.name, bus: row.bus, params: { ...row.params }, spaceId, tags, brick, version },
    ...{ retiredAt: iso(retiredAt), points, secrets },
  };
}
