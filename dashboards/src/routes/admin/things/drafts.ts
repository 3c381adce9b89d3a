import type { EquipmentBody, EquipmentDetail, OwnTags, PointBody, PointDetail } from '@parkline/contract';

/** The field of its protocol by which a device is told apart on its bus. */
const fieldOnBus: Readonly<Record<string, string>> = {
  modbus: 'unit',
  bacnet: 'device',
  opcua: 'root',
  mqtt: 'username',
  dlt645: 'address',
  cjt188: 'address',
};

/** A device as it is typed: everything is text. */
export interface EquipmentDraft {
  key: string;
  nameEn: string;
  nameZh: string;
  template: string;
  gatewayId: string;
  buildingId: string;
  floorId: string;
  spaceId: string;
  bus: string;
  address: string;
  transport: string;
  meterType: string;
  submeterOfId: string;
  serves: string[];
  tags: string;
  brick: string;
}

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value));

export function draftOfEquipment(
  from: EquipmentDetail | undefined,
  usual: Partial<EquipmentDraft>,
): EquipmentDraft {
  const params = from?.params ?? {};
  return {
    ...{
      key: from?.key ?? '',
      nameEn: from?.names.en ?? '',
      nameZh: from?.names.zh ?? '',
      template: from?.template ?? '',
    },
    ...{ gatewayId: from?.gatewayId ?? '', buildingId: from?.buildingId ?? '', bus: from?.bus ?? '' },
    ...{ floorId: from?.floorId ?? '', spaceId: from?.spaceId ?? '', submeterOfId: from?.submeterOfId ?? '' },
    address: text(params[fieldOnBus[from?.protocol ?? ''] ?? 'address']),
    ...{
      transport: text(params['transport']) || 'tcp',
      meterType: text(params['type']),
      serves: [...(from?.serves ?? [])],
    },
    ...{ tags: tagsText(from?.tags ?? {}), brick: from?.brick ?? '' },
    ...(from ? {} : usual),
  };
}

export function equipmentBody(
  draft: EquipmentDraft,
  protocol: string,
  before: EquipmentDetail | undefined,
): EquipmentBody {
  const { key, template, gatewayId, buildingId, bus, serves } = draft;
  return {
    ...{ key: key.trim(), template, gatewayId, buildingId, bus: bus.trim(), serves },
    name: bothNames(draft.nameEn, draft.nameZh),
    ...{
      floorId: draft.floorId || null,
      spaceId: draft.spaceId || null,
      submeterOfId: draft.submeterOfId || null,
    },
    params: paramsOf(draft, protocol, before?.params['idOrder']),
    ...{ tags: tagsOf(draft.tags), brick: draft.brick.trim() || null },
  };
}

function paramsOf({ address, transport, meterType }: EquipmentDraft, protocol: string, idOrder: unknown) {
  const isNumber = protocol === 'modbus' || protocol === 'bacnet';
  return {
    [fieldOnBus[protocol] ?? 'address']:
      isNumber && /^\d+$/.test(address.trim()) ? Number(address) : address.trim(),
    ...(protocol === 'modbus' && { transport }),
    ...(protocol === 'cjt188' && { type: meterType.trim().toUpperCase() }),
    ...(idOrder !== undefined && { idOrder }),
  };
}

/** Who writes a name in one language says both by it. */
const bothNames = (en: string, zh: string) => ({ en: en.trim() || zh.trim(), zh: zh.trim() || en.trim() });

/** `critical; stage=2`. Pure. */
export const tagsText = (tags: Readonly<Record<string, unknown>>): string =>
  Object.entries(tags)
    .map(([name, value]) => (value === true ? name : `${name}=${String(value)}`))
    .join('; ');

export const tagsOf = (typed: string): OwnTags =>
  Object.fromEntries(
    typed
      .split(/[;；]/)
      .map((entry) => entry.trim())
      .filter(Boolean)
      .map((entry) => {
        const [name = '', ...rest] = entry.split('=');
        const value = rest.join('=').trim();
        if (rest.length === 0) return [name, true];
        return [name.trim(), value !== '' && Number.isFinite(Number(value)) ? Number(value) : value];
      }),
  );

/** A point as it is typed. */
export interface PointDraft {
  key: string;
  nameEn: string;
  nameZh: string;
  unit: string;
  kind: PointBody['kind'];
  resolution: string;
  decimals: string;
  poll: string;
  heartbeat: string;
  spaceId: string;
  tags: string;
  brick: string;
  isOwn: boolean;
  address: string;
  scale: string;
  deadband: string;
  isWritable: boolean;
  min: string;
  max: string;
  hold: string;
  perMinute: string;
}

export function draftOfPoint(from: PointDetail | undefined): PointDraft {
  const { source, write } = from ?? { source: null, write: null };
  return {
    ...{
      key: from?.key ?? '',
      nameEn: from?.names.en ?? '',
      nameZh: from?.names.zh ?? '',
      unit: from?.unit ?? '1',
    },
    ...{
      kind: from?.kind ?? 'gauge',
      resolution: text(from?.resolution ?? 1),
      decimals: text(from?.decimals ?? 1),
    },
    ...{
      poll: text((from?.pollMs ?? 60_000) / 1_000),
      heartbeat: text((from?.heartbeatMs ?? 300_000) / 1_000),
    },
    ...{ spaceId: from?.spaceId ?? '', tags: tagsText(from?.tags ?? {}), brick: from?.brick ?? '' },
    ...{ isOwn: from === undefined || source !== null, address: source?.address ?? '' },
    ...{ scale: text(source?.scale ?? 1), deadband: text(source?.deadband ?? 0) },
    ...{ isWritable: write !== null, min: text(write?.min ?? 0), max: text(write?.max ?? 100) },
    ...{ hold: text(write?.holdS ?? 3_600), perMinute: text(write?.perMinute ?? 6) },
  };
}

export function pointBody(draft: PointDraft, before: PointDetail | undefined): PointBody {
  const { key, kind, isOwn, isWritable } = draft;
  const usual = before?.write ?? { priority: 16, safety: false };
  return {
    ...{
      key: key.trim(),
      kind,
      name: bothNames(draft.nameEn, draft.nameZh),
      unit: draft.unit as PointBody['unit'],
    },
    ...{
      resolution: Number(draft.resolution),
      decimals: Number(draft.decimals),
      states: before?.states ?? null,
    },
    ...{
      pollMs: Math.round(Number(draft.poll) * 1_000),
      heartbeatMs: Math.round(Number(draft.heartbeat) * 1_000),
    },
    write: isWritable
      ? {
          ...usual,
          min: Number(draft.min),
          max: Number(draft.max),
          holdS: Number(draft.hold),
          perMinute: Number(draft.perMinute),
        }
      : null,
    ...{ spaceId: draft.spaceId || null, tags: tagsOf(draft.tags), brick: draft.brick.trim() || null },
    source: isOwn
      ? {
          ...before?.source,
          address: draft.address.trim(),
          scale: Number(draft.scale),
          deadband: Number(draft.deadband),
        }
      : null,
  };
}

/** What the server found wrong, by field of the body: 'params.unit' stands below `params`, too. Pure. */
export function faultsOf(details: unknown): ReadonlyMap<string, string> {
  const faults = new Map<string, string>();
  if (!Array.isArray(details)) return faults;
  for (const { field, message } of details as { field: string; message: string }[]) {
    const name = field.replace(/^body\./, '');
    faults.set(name, message);
    faults.set(name.split('.')[0] ?? '', message);
  }
  return faults;
}
