import './tables.ts';
import type { GatewayMapping, MappedDevice, MappedPark } from '@parkline/contract';
import { loadTemplates, type Template } from '@parkline/templates';
import { sql } from 'kysely';
import { tellEquipmentChanged } from '../fleet/index.ts';
import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';

/** One device of a mapping; `why` is empty but for a conflict. */
type Change = Omit<GatewayMapping['changes'][number], 'why'> & { readonly why: LocalText };

/** What the database has under the ids of a mapping, whoever's it is. */
interface Known {
  readonly equipment: ReadonlyMap<string, { readonly gatewayId: string; readonly name: string }>;
  readonly points: ReadonlyMap<
    string,
    {
      readonly equipmentId: string;
      readonly unit: string;
      readonly kind: string;
      readonly resolution: number;
    }
  >;
}

async function known(db: Db, accountId: string, { devices }: MappedPark): Promise<Known> {
  const ids = devices.map(({ id }) => id);
  const pointIds = devices.flatMap(({ points }) => points.map(({ id }) => id));
  const equipment = await db
    .selectFrom('equipment')
    .select(['id', 'gatewayId', 'name'])
    .where('accountId', '=', accountId)
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute();
  const points = await db
    .selectFrom('point')
    .select(['id', 'equipmentId', 'unit', 'kind', 'resolution'])
    .where('accountId', '=', accountId)
    .where('id', '=', sql<string>`any(${pointIds}::uuid[])`)
    .execute();
  return {
    equipment: new Map(equipment.map(({ id, gatewayId, name }) => [id, { gatewayId, name: name.en }])),
    points: new Map(points.map(({ id, ...rest }) => [id, rest])),
  };
}

/** What taking a mapping over would do, device by device. */
export async function mappingChanges(
  db: Db,
  accountId: string,
  gatewayId: string,
  park: MappedPark,
): Promise<Change[]> {
  const found = await known(db, accountId, park);
  return park.devices.map((device) => changeOf(gatewayId, device, found));
}

function changeOf(gatewayId: string, device: MappedDevice, { equipment, points }: Known): Change {
  const { id, name, protocol } = device;
  const here = equipment.get(id);
  const count = { add: 0, change: 0, same: 0 };
  let why: LocalText | undefined = here && here.gatewayId !== gatewayId ? clashes.gateway : undefined;
  for (const point of device.points) {
    const stored = points.get(point.id);
    if (!stored) count.add += 1;
    else if (stored.equipmentId !== id) why = clashes.device(point.key);
    // Readings are in the unit and the steps that were there when they came.
    else if (
      stored.unit !== point.unit ||
      stored.kind !== point.kind ||
      stored.resolution !== point.resolution
    )
      why = clashes.readings(point.key);
    else count.same += 1;
  }
  const isSame = here !== undefined && count.add === 0;
  const what = why ? 'conflict' : !here ? 'add' : isSame ? 'same' : 'change';
  return { what, id, name, protocol, points: count, why: why ?? { en: '', zh: '' } };
}

/** Why the devices and points of a mapping cannot be taken over as they are. */
const clashes = {
  gateway: { en: 'the device is of another gateway', zh: '该设备属于其他网关' },
  device: (key: string) => ({ en: `point ${key} is of another device`, zh: `点位 ${key} 属于其他设备` }),
  readings: (key: string) => ({
    en: `point ${key} has readings in another unit, kind or resolution`,
    zh: `点位 ${key} 已有其他单位、类型或分辨率的读数`,
  }),
  deviceElsewhere: { en: 'the device is in another building', zh: '该设备在其他楼宇' },
  pointElsewhere: (key: string) => ({
    en: `point ${key} is of a device in another building`,
    zh: `点位 ${key} 属于其他楼宇的设备`,
  }),
};

export interface TakeOver {
  readonly accountId: string;
  readonly gatewayId: string;
  readonly buildingId: string;
  readonly park: MappedPark;
  readonly at: Date;
  readonly newId: NewId;
}

/**
 * Makes the devices and points of a mapping under the ids that they were given on site, so that what was read before finds its
 * points. Devices that conflict are left out. @returns how many points were made.
 * @throws AppError 'conflict' naming a device whose id, or a point's, is taken where who asks does not see it: in another building.
 */
export async function takeOver(trx: Db, order: TakeOver): Promise<number> {
  const { accountId, gatewayId, park } = order;
  const changes = await mappingChanges(trx, accountId, gatewayId, park);
  const wanted = new Set(
    changes.filter(({ what }) => what === 'add' || what === 'change').map(({ id }) => id),
  );
  const devices = park.devices.filter(({ id }) => wanted.has(id));
  await addBuses(trx, order);
  const templates = loadTemplates();
  let made = 0;
  for (const device of devices) {
    await addDevice(trx, order, device, templates.get(device.template ?? ''));
    made += await addPoints(trx, order, device, templates.get(device.template ?? ''));
  }
  // What was read before waits for these points: ingest hears of them when they are committed.
  if (made > 0) await sql`select pg_notify('parkline_gateway', ${gatewayId})`.execute(trx);
  if (made > 0) await tellEquipmentChanged(trx, accountId, order);
  return made;
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 50) || 'device';

async function addBuses(trx: Db, { accountId, gatewayId, park, newId }: TakeOver): Promise<void> {
  if (park.buses.length === 0) return;
  const rows = park.buses.map(({ key, protocol, params }) => ({
    ...{ id: newId(), account_id: accountId, gateway_id: gatewayId, key: slug(key), protocol, params },
  }));
  await sql`insert into bus (id, account_id, gateway_id, key, protocol, params)
    select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as b(id uuid, account_id uuid, gateway_id uuid, key text, protocol text, params jsonb)
    on conflict (account_id, gateway_id, key) do nothing`.execute(trx);
}

async function addDevice(
  trx: Db,
  { accountId, gatewayId, buildingId }: TakeOver,
  { id, name, bus, protocol, params }: MappedDevice,
  template: Template | undefined,
): Promise<void> {
  const key = slug(name);
  const { rows } = await sql<{ taken: boolean }>`
    select exists (select from equipment where account_id = ${accountId} and key = ${key} and id <> ${id}) as taken`.execute(
    trx,
  );
  await trx
    .insertInto('equipment')
    .values({
      ...{ id, accountId, buildingId, gatewayId, floorId: null, submeterOf: null, protocol },
      // The end of a UUIDv7 is random.
      key: rows[0]?.taken ? `${key}-${id.slice(-12)}` : key,
      name: { en: name, zh: name },
      kind: template?.kind ?? 'device',
      template: template?.id ?? '',
      bus: slug(bus),
      params,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  const seen = await trx
    .selectFrom('equipment')
    .select('id')
    .where('accountId', '=', accountId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (!seen) throw elsewhere({ id, name }, clashes.deviceElsewhere);
}

const elsewhere = ({ id, name }: Pick<MappedDevice, 'id' | 'name'>, { en, zh }: LocalText): AppError =>
  new AppError('conflict', `${id}: ${en}`, {
    details: { why: { en: `${name}: ${en}`, zh: `${name}：${zh}` }, id, name },
  });

async function addPoints(
  trx: Db,
  { accountId }: TakeOver,
  device: MappedDevice,
  template: Template | undefined,
): Promise<number> {
  const described = new Map(template?.points.map((point) => [point.key, point]));
  const rows = device.points.map((point) => {
    const known = described.get(point.key);
    const { address, scale, offset, deadband } = point;
    return {
      ...{ id: point.id, account_id: accountId, equipment_id: device.id, key: point.key },
      name: known?.name ?? { en: point.key, zh: point.key },
      ...{ unit: point.unit, kind: point.kind, resolution: point.resolution, protocol: device.protocol },
      decimals: known?.decimals ?? decimalsOf(point.resolution, point.kind),
      ...{ poll_ms: point.pollMs, heartbeat_ms: point.heartbeatMs },
      states: known?.states ?? null,
      write: known?.write ?? null,
      // What the template does not say, the point says itself.
      source: known ? null : { address, scale, ...(offset !== undefined && { offset }), deadband },
    };
  });
  const { numAffectedRows } = await sql`
    insert into point (id, account_id, equipment_id, key, name, unit, kind, resolution, decimals, protocol, poll_ms,
      heartbeat_ms, states, write, source)
    select id, account_id, equipment_id, key, name, unit, kind, resolution, decimals, protocol, poll_ms, heartbeat_ms,
      nullif(states, 'null'), nullif(write, 'null'), nullif(source, 'null')
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as p(id uuid, account_id uuid, equipment_id uuid, key text,
      name jsonb, unit text, kind text, resolution float8, decimals int, protocol text, poll_ms int, heartbeat_ms int,
      states jsonb, write jsonb, source jsonb)
    on conflict do nothing`.execute(trx);
  const { rows: lost } = await sql<{ key: string }>`
    select p.key from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as p(id uuid, key text)
    where not exists (select from point k where k.account_id = ${accountId}
      and (k.id = p.id or (k.equipment_id = ${device.id} and k.key = p.key))) limit 1`.execute(trx);
  if (lost[0]) throw elsewhere(device, clashes.pointElsewhere(lost[0].key));
  return Number(numAffectedRows ?? 0);
}

/** Digits after the point that are worth showing. Pure. */
function decimalsOf(resolution: number, kind: string): number {
  if (kind === 'state') return 0;
  if (kind === 'gauge') return 2;
  return Math.min(6, Math.max(0, Math.ceil(-Math.log10(resolution))));
}
