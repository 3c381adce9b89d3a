import './tables.ts';
import { loadTemplate, type Template } from '@parkline/templates';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import type { ParkFile } from './park-file.ts';

export interface FleetPlan {
  readonly park: ParkFile;
  /** Ids of the places by key. */
  readonly buildings: ReadonlyMap<string, string>;
  readonly floors: ReadonlyMap<string, string>;
}

export interface SeededGateway {
  readonly key: string;
  readonly id: string;
  readonly name: string;
}

type Meter = ParkFile['buildings'][number]['meters'][number];

/**
 * Makes the gateways, meters and points that are missing and brings the others up to the plan; what is not in the plan
 * stays. A second run changes nothing. @throws Error on a template that does not exist or is of another kind.
 */
export async function seedFleet(
  db: Db,
  accountId: string,
  plan: FleetPlan,
  newId: NewId,
): Promise<SeededGateway[]> {
  const templates = templatesOf(plan.park);
  const gateways = await seedGateways(db, accountId, plan, newId);
  const devices = await seedDevices(db, accountId, plan, gateways, templates, newId);
  await seedPoints(db, accountId, plan.park, devices, templates, newId);
  return plan.park.buildings.map(({ gateway: { key, name } }) => ({
    key,
    id: idOf(gateways, key),
    name: name.en,
  }));
}

function templatesOf(park: ParkFile): ReadonlyMap<string, Template> {
  const templates = new Map<string, Template>();
  for (const meter of metersOf(park)) {
    const template = templates.get(meter.template) ?? loadTemplate(meter.template);
    if (template.kind !== meter.kind)
      throw new Error(
        `meter ${meter.key} is a ${meter.kind}, its template ${template.id} is a ${template.kind}`,
      );
    templates.set(meter.template, template);
  }
  return templates;
}

const metersOf = (park: ParkFile): readonly Meter[] => park.buildings.flatMap(({ meters }) => meters);

function idOf(ids: ReadonlyMap<string, string>, key: string): string {
  const id = ids.get(key);
  if (id === undefined) throw new Error(`${key} was not seeded`);
  return id;
}

async function seedGateways(db: Db, accountId: string, { park, buildings }: FleetPlan, newId: NewId) {
  await db
    .insertInto('gateway')
    .values(
      park.buildings.map(({ key, gateway }) => ({
        id: newId(),
        accountId,
        buildingId: idOf(buildings, key),
        key: gateway.key,
        name: gateway.name,
        publicKey: null,
      })),
    )
    .onConflict((c) =>
      c
        .columns(['accountId', 'key'])
        .doUpdateSet((eb) => ({ name: eb.ref('excluded.name'), buildingId: eb.ref('excluded.buildingId') }))
        .where(
          sql<boolean>`(gateway.name, gateway.building_id) is distinct from (excluded.name, excluded.building_id)`,
        ),
    )
    .execute();
  const rows = await db
    .selectFrom('gateway')
    .select(['key', 'id'])
    .where('accountId', '=', accountId)
    .execute();
  return new Map(rows.map(({ key, id }) => [key, id]));
}

async function seedDevices(
  db: Db,
  accountId: string,
  { park, buildings, floors }: FleetPlan,
  gateways: ReadonlyMap<string, string>,
  templates: ReadonlyMap<string, Template>,
  newId: NewId,
): Promise<ReadonlyMap<string, string>> {
  const rows = park.buildings.flatMap((building) => {
    const transports = new Map(building.buses.map(({ key, transport }) => [key, transport]));
    return building.meters.map(({ key, name, kind, template, bus, unit, floor }) => ({
      id: newId(),
      accountId,
      buildingId: idOf(buildings, building.key),
      floorId: floor ? idOf(floors, floor) : null,
      gatewayId: idOf(gateways, building.gateway.key),
      submeterOf: null,
      ...{ key, name, kind, template, bus },
      protocol: templates.get(template)?.protocol ?? '',
      params: { unit, transport: transports.get(bus) ?? 'tcp' },
    }));
  });
  if (rows.length > 0) await upsertDevices(db, rows);
  const found = await db
    .selectFrom('equipment')
    .select(['key', 'id'])
    .where('accountId', '=', accountId)
    .execute();
  const ids = new Map(found.map(({ key, id }) => [key, id]));
  // After all are there: a meter may hang behind one that comes later in the file.
  for (const { key, submeterOf } of metersOf(park)) {
    const parent = submeterOf ? idOf(ids, submeterOf) : null;
    await db
      .updateTable('equipment')
      .set({ submeterOf: parent })
      .where('id', '=', idOf(ids, key))
      .where('submeterOf', 'is distinct from', parent)
      .execute();
  }
  return ids;
}

const upsertDevices = (db: Db, rows: Parameters<ReturnType<typeof devicesInto>['values']>[0]) =>
  devicesInto(db)
    .values(rows)
    .onConflict((c) =>
      c
        .columns(['accountId', 'key'])
        .doUpdateSet((eb) => ({
          buildingId: eb.ref('excluded.buildingId'),
          floorId: eb.ref('excluded.floorId'),
          gatewayId: eb.ref('excluded.gatewayId'),
          name: eb.ref('excluded.name'),
          kind: eb.ref('excluded.kind'),
          template: eb.ref('excluded.template'),
          protocol: eb.ref('excluded.protocol'),
          bus: eb.ref('excluded.bus'),
          params: eb.ref('excluded.params'),
        }))
        .where(
          sql<boolean>`
            (equipment.building_id, equipment.floor_id, equipment.gateway_id, equipment.name, equipment.kind,
             equipment.template, equipment.protocol, equipment.bus, equipment.params) is distinct from
            (excluded.building_id, excluded.floor_id, excluded.gateway_id, excluded.name, excluded.kind,
             excluded.template, excluded.protocol, excluded.bus, excluded.params)`,
        ),
    )
    .execute();
const devicesInto = (db: Db) => db.insertInto('equipment');

async function seedPoints(
  db: Db,
  accountId: string,
  park: ParkFile,
  devices: ReadonlyMap<string, string>,
  templates: ReadonlyMap<string, Template>,
  newId: NewId,
): Promise<void> {
  for (const meter of metersOf(park)) {
    const template = templates.get(meter.template);
    const rows = (template?.points ?? []).map((point) => ({
      id: newId(),
      accountId,
      equipmentId: idOf(devices, meter.key),
      key: point.key,
      name: point.name,
      unit: point.unit,
      kind: point.kind,
      resolution: point.resolution,
      decimals: point.decimals,
      protocol: template?.protocol ?? '',
      pollMs: park.poll?.everyMs ?? point.pollMs,
      heartbeatMs: park.poll?.heartbeatMs ?? point.heartbeatMs,
    }));
    await db
      .insertInto('point')
      .values(rows)
      .onConflict((c) =>
        c
          .columns(['accountId', 'equipmentId', 'key'])
          // Unit, kind and resolution stay: the readings already stored are in them.
          .doUpdateSet((eb) => ({
            name: eb.ref('excluded.name'),
            decimals: eb.ref('excluded.decimals'),
            pollMs: eb.ref('excluded.pollMs'),
            heartbeatMs: eb.ref('excluded.heartbeatMs'),
          }))
          .where(
            sql<boolean>`(point.name, point.decimals, point.poll_ms, point.heartbeat_ms) is distinct from
              (excluded.name, excluded.decimals, excluded.poll_ms, excluded.heartbeat_ms)`,
          ),
      )
      .execute();
  }
}
