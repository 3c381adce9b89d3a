import './tables.ts';
import type { EquipmentBody, PointBody } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { Neighbour, Surrounding } from './thing-checks.ts';

/** Columns of equipment that a person sets. */
export const equipmentColumns = (
  body: EquipmentBody,
  { kind, protocol }: { kind: string; protocol: string },
) => ({
  key: body.key,
  name: body.name,
  template: body.template,
  gatewayId: body.gatewayId,
  buildingId: body.buildingId,
  floorId: body.floorId,
  spaceId: body.spaceId,
  bus: body.bus,
  params: body.params,
  submeterOf: body.submeterOfId,
  tags: body.tags,
  brick: body.brick,
  kind,
  protocol,
});

/** Columns of a point that a person sets. */
export const pointColumns = ({ source, states, write, ...body }: PointBody) => ({
  ...body,
  // jsonb null and SQL null are two things.
  states: states ?? null,
  write: write ?? null,
  source: source ?? null,
});

export const things = {
  /** What devices are checked against. `except` is left out of the neighbours. */
  async surrounding(db: Db, accountId: string, except?: string): Promise<Omit<Surrounding, 'template'>> {
    const buildings = await db
      .selectFrom('building')
      .select('id')
      .where('accountId', '=', accountId)
      .execute();
    const gateways = await db.selectFrom('gateway').select('id').where('accountId', '=', accountId).execute();
    const floors = await db
      .selectFrom('floor')
      .select(['id', 'buildingId'])
      .where('accountId', '=', accountId)
      .execute();
    const buses = await db
      .selectFrom('bus')
      .select(['gatewayId', 'key', 'protocol'])
      .where('accountId', '=', accountId)
      .execute();
    return {
      buildings: new Set(buildings.map(({ id }) => id)),
      gateways: new Set(gateways.map(({ id }) => id)),
      floors: new Map(floors.map(({ id, buildingId }) => [id, buildingId])),
      spaces: await things.spaces(db, accountId),
      buses: new Map(buses.map(({ gatewayId, key, protocol }) => [`${gatewayId} ${key}`, protocol])),
      others: (await things.neighbours(db, accountId)).filter(({ id }) => id !== except),
    };
  },

  neighbours: (db: Db, accountId: string): Promise<Neighbour[]> =>
    db
      .selectFrom('equipment')
      .select(['id', 'key', 'gatewayId', 'bus', 'protocol', 'params', 'submeterOf', 'kind'])
      .where('accountId', '=', accountId)
      .where('retiredAt', 'is', null)
      .execute(),

  async spaces(db: Db, accountId: string) {
    const rows = await db
      .selectFrom('space')
      .select(['id', 'floorId', 'buildingId'])
      .where('accountId', '=', accountId)
      .execute();
    return new Map(rows.map(({ id, ...place }) => [id, place]));
  },

  /** Locked until the transaction ends, with what a change is compared with. */
  lockEquipment: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('equipment as e')
      .select([
        'e.id',
        'e.key',
        'e.name',
        'e.template',
        'e.gatewayId',
        'e.buildingId',
        'e.floorId',
        'e.spaceId',
      ])
      .select([
        'e.bus',
        'e.params',
        'e.submeterOf as submeterOfId',
        'e.tags',
        'e.brick',
        'e.version',
        'e.retiredAt',
      ])
      .select(['e.kind', 'e.protocol'])
      .select(
        sql<string[]>`array(select coalesce(v.floor_id, v.space_id)::text from equipment_serves v
          where v.equipment_id = e.id order by 1)`.as('serves'),
      )
      .where('e.accountId', '=', accountId)
      .where('e.id', '=', id)
      .forUpdate('e')
      .executeTakeFirst(),

  /** Replaces what a unit works for. */
  async serve(
    db: Db,
    accountId: string,
    equipmentId: string,
    serves: readonly string[],
    floors: ReadonlyMap<string, unknown>,
  ): Promise<void> {
    await db
      .deleteFrom('equipmentServes')
      .where('accountId', '=', accountId)
      .where('equipmentId', '=', equipmentId)
      .execute();
    const rows = serves.map((place) => ({
      ...{ accountId, equipmentId },
      floorId: floors.has(place) ? place : null,
      spaceId: floors.has(place) ? null : place,
    }));
    if (rows.length > 0) await db.insertInto('equipmentServes').values(rows).execute();
  },

  lockPoint: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('point as p')
      .innerJoin('equipment as e', 'e.id', 'p.equipmentId')
      .select(['p.id', 'p.key', 'p.name', 'p.unit', 'p.kind', 'p.resolution', 'p.decimals', 'p.pollMs'])
      .select(['p.heartbeatMs', 'p.states', 'p.write', 'p.spaceId', 'p.tags', 'p.brick', 'p.source'])
      .select([
        'p.version',
        'p.retiredAt',
        'p.equipmentId',
        'e.template',
        'e.kind as deviceKind',
        'e.buildingId',
      ])
      .where('p.accountId', '=', accountId)
      .where('p.id', '=', id)
      .forUpdate('p')
      .executeTakeFirst(),

  pointIds: (db: Db, accountId: string, equipmentId: string) =>
    db
      .selectFrom('point')
      .select('id')
      .where('accountId', '=', accountId)
      .where('equipmentId', '=', equipmentId)
      .execute()
      .then((rows) => rows.map(({ id }) => id)),

  retireEquipment: (db: Db, accountId: string, id: string, at: Date) =>
    db
      .updateTable('equipment')
      .set({ retiredAt: at })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .where('retiredAt', 'is', null)
      .execute(),

  retirePoint: (db: Db, accountId: string, id: string, at: Date) =>
    db
      .updateTable('point')
      .set({ retiredAt: at })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .where('retiredAt', 'is', null)
      .execute(),
};

/**
 * Does `work` in a savepoint. @returns false when rows of others still name what it would delete; nothing is done then.
 */
export async function unlessNamed(trx: Db, work: () => Promise<unknown>): Promise<boolean> {
  await sql`savepoint before_delete`.execute(trx);
  try {
    await work();
    await sql`release savepoint before_delete`.execute(trx);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== '23503') throw error;
    await sql`rollback to savepoint before_delete`.execute(trx);
    return false;
  }
}
