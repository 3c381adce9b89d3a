import './tables.ts';
import { loadTemplate, type Template } from '@parkline/templates';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import { devicesOf, type ParkDevice } from './park-device.ts';
import type { ParkFile } from './park-file.ts';
import { seedPoints } from './seed-points.ts';

export interface FleetPlan {
  readonly park: ParkFile;
  /** Ids of the places by key. */
  readonly buildings: ReadonlyMap<string, string>;
  readonly floors: ReadonlyMap<string, string>;
  readonly spaces: ReadonlyMap<string, string>;
}

export interface SeededGateway {
  readonly key: string;
  readonly id: string;
  readonly name: string;
}

/**
 * Makes the gateways, meters, equipment and points that are missing and brings the others up to the plan; what is not in
 * the plan stays. A second run changes nothing. @throws Error naming every template that does not fit its device.
 */
export async function seedFleet(
  db: Db,
  accountId: string,
  plan: FleetPlan,
  newId: NewId,
): Promise<SeededGateway[]> {
  const devices = plan.park.buildings.flatMap(devicesOf);
  const templates = templatesOf(devices);
  const gateways = await seedGateways(db, accountId, plan, newId);
  const ids = await seedDevices(db, accountId, plan, gateways, newId);
  await seedParents(db, devices, ids);
  await seedServes(db, accountId, plan, devices, ids);
  for (const device of devices) {
    const template = templates.get(device.template);
    const of = { accountId, equipmentId: idOf(ids, device.key) };
    if (template) await seedPoints(db, of, { template, poll: plan.park.poll }, newId);
  }
  return plan.park.buildings.map(({ gateway: { key, name } }) => ({
    key,
    id: idOf(gateways, key),
    name: name.en,
  }));
}

/** @throws Error with a line for every device whose template is missing, of another kind or of another protocol. */
function templatesOf(devices: readonly ParkDevice[]): ReadonlyMap<string, Template> {
  const templates = new Map<string, Template>();
  const faults: string[] = [];
  for (const { what, key, kind, protocol, template: id } of devices) {
    try {
      const template = templates.get(id) ?? loadTemplate(id);
      templates.set(id, template);
      if (template.kind !== kind)
        faults.push(`${what} ${key} is a ${kind}, its template ${id} is a ${template.kind}`);
      if (template.protocol !== protocol)
        faults.push(
          `${what} ${key} is on a bus of ${protocol}, its template ${id} speaks ${template.protocol}`,
        );
    } catch (cause) {
      faults.push(`${what} ${key}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return templates;
}

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
  newId: NewId,
): Promise<ReadonlyMap<string, string>> {
  const rows = park.buildings.flatMap((building) =>
    devicesOf(building).map(({ key, name, kind, template, bus, protocol = '', params, floor }) => ({
      id: newId(),
      accountId,
      buildingId: idOf(buildings, building.key),
      floorId: floor ? idOf(floors, floor) : null,
      gatewayId: idOf(gateways, building.gateway.key),
      submeterOf: null,
      ...{ key, name, kind, template, bus, protocol, params },
    })),
  );
  if (rows.length > 0) await upsertDevices(db, rows);
  const found = await db
    .selectFrom('equipment')
    .select(['key', 'id'])
    .where('accountId', '=', accountId)
    .execute();
  return new Map(found.map(({ key, id }) => [key, id]));
}

/** After all are there: a meter may hang behind one that comes later in the file. */
async function seedParents(
  db: Db,
  devices: readonly ParkDevice[],
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  for (const { key, submeterOf } of devices) {
    const parent = submeterOf ? idOf(ids, submeterOf) : null;
    await db
      .updateTable('equipment')
      .set({ submeterOf: parent })
      .where('id', '=', idOf(ids, key))
      .where('submeterOf', 'is distinct from', parent)
      .execute();
  }
}

/** What the units of the plan work for, and nothing else. */
async function seedServes(
  db: Db,
  accountId: string,
  { floors, spaces }: FleetPlan,
  devices: readonly ParkDevice[],
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  const rows = devices.flatMap(({ key, serves }) =>
    serves.map((place) => {
      const floorId = floors.get(place) ?? null;
      return {
        accountId,
        equipmentId: idOf(ids, key),
        floorId,
        spaceId: floorId ? null : idOf(spaces, place),
      };
    }),
  );
  const planned = devices.map(({ key }) => idOf(ids, key));
  const kept = rows.map(({ equipmentId, floorId, spaceId }) => `${equipmentId} ${floorId ?? spaceId}`);
  await sql`
    delete from equipment_serves where account_id = ${accountId} and equipment_id = any(${planned}::uuid[])
      and equipment_id || ' ' || coalesce(floor_id, space_id) <> all(${kept}::text[])`.execute(db);
  if (rows.length > 0)
    await db
      .insertInto('equipmentServes')
      .values(rows)
      .onConflict((c) => c.doNothing())
      .execute();
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
