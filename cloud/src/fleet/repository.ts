import './tables.ts';
import { type ExpressionBuilder, sql } from 'kysely';
import type { Db, Tables } from '../platform/db.ts';
import {
  type EquipmentDetailRow,
  type EquipmentRow,
  type GatewayRow,
  powerKeys,
  registerKeys,
} from './domain.ts';

export const gateways = {
  list: (db: Db, accountId: string): Promise<GatewayRow[]> =>
    db
      .selectFrom('gateway as g')
      .leftJoin('gatewayStatus as s', 's.gatewayId', 'g.id')
      .select([
        'g.id',
        'g.key',
        'g.name',
        'g.buildingId',
        'g.revokedAt',
        's.heardAt',
        's.startedAt',
        's.version',
        's.writing',
      ])
      .select(['s.outboxPending', 's.outboxOldestAt', 's.outboxBytes', 's.outboxMaxBytes'])
      .select(['s.outboxWaitingBytes', 's.outboxHoursLeft', 's.clockSkewMs', 's.clockMeasuredAt'])
      .select((eb) => [
        eb
          .selectFrom('equipment as e')
          .select(sql<number>`count(*)::int`.as('n'))
          .whereRef('e.gatewayId', '=', 'g.id')
          .where('e.retiredAt', 'is', null)
          .$asScalar()
          .as('devicesTotal'),
        eb
          .selectFrom('equipment as e')
          .innerJoin('deviceStatus as d', 'd.equipmentId', 'e.id')
          .select(sql<number>`count(*)::int`.as('n'))
          .whereRef('e.gatewayId', '=', 'g.id')
          .where('d.state', '=', 'online')
          .where('e.retiredAt', 'is', null)
          .$asScalar()
          .as('devicesOnline'),
      ])
      .where('g.accountId', '=', accountId)
      .orderBy('g.id')
      .$narrowType<{ devicesTotal: number; devicesOnline: number }>()
      .execute(),

  byKey: (db: Db, accountId: string, key: string) =>
    db
      .selectFrom('gateway')
      .select(['id', 'key', 'name', 'buildingId', 'publicKey'])
      .where('accountId', '=', accountId)
      .where('key', '=', key)
      .executeTakeFirst(),

  /** Stores the key that verifies what the gateway sends. @returns false when there is no such gateway. */
  async trust(db: Db, accountId: string, id: string, publicKey: string): Promise<boolean> {
    const { numUpdatedRows } = await db
      .updateTable('gateway')
      .set({ publicKey })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  },
};

export const equipment = {
  /** In order of creation; `after` is the id that the last page ended with. */
  page: (
    db: Db,
    accountId: string,
    { building, after, limit }: { building?: string | undefined; after?: string | undefined; limit: number },
  ): Promise<EquipmentRow[]> =>
    equipmentRows(db, accountId)
      .where('e.retiredAt', 'is', null)
      .$if(building !== undefined, (q) => q.where('e.buildingId', '=', building ?? ''))
      .$if(after !== undefined, (q) => q.where('e.id', '>', after ?? ''))
      .orderBy('e.id')
      .limit(limit)
      .execute(),

  find: (db: Db, accountId: string, id: string): Promise<EquipmentRow | undefined> =>
    equipmentRows(db, accountId).where('e.id', '=', id).executeTakeFirst(),

  /** As it is edited. */
  detail: (db: Db, accountId: string, id: string): Promise<EquipmentDetailRow | undefined> =>
    detailRows(db, accountId).where('e.id', '=', id).executeTakeFirst(),

  details: (db: Db, accountId: string, ids: readonly string[]): Promise<EquipmentDetailRow[]> =>
    ids.length === 0
      ? Promise.resolve([])
      : detailRows(db, accountId)
          .where('e.id', 'in', [...ids])
          .execute(),

  /** Devices of a gateway with their points, as its configuration needs them, in order of creation; without what is retired. */
  async ofGateway(db: Db, accountId: string, gatewayId: string) {
    const devices = await db
      .selectFrom('equipment')
      .select(['id', 'key', 'name', 'template', 'protocol', 'bus', 'params'])
      .where('accountId', '=', accountId)
      .where('gatewayId', '=', gatewayId)
      .where('retiredAt', 'is', null)
      .orderBy('id')
      .execute();
    const points = await db
      .selectFrom('point')
      .innerJoin('equipment', 'equipment.id', 'point.equipmentId')
      .select(['point.id', 'point.key', 'point.equipmentId', 'point.pollMs', 'point.heartbeatMs'])
      .select(['point.unit', 'point.kind', 'point.resolution', 'point.write', 'point.source'])
      .where('point.accountId', '=', accountId)
      .where('equipment.gatewayId', '=', gatewayId)
      .where('equipment.retiredAt', 'is', null)
      .where('point.retiredAt', 'is', null)
      .orderBy('point.id')
      .execute();
    return { devices, points };
  },
};

const equipmentRows = (db: Db, accountId: string) =>
  db
    .selectFrom('equipment as e')
    .leftJoin('deviceStatus as d', 'd.equipmentId', 'e.id')
    .leftJoin('gatewayStatus as s', 's.gatewayId', 'e.gatewayId')
    .leftJoin('gateway as g', 'g.id', 'e.gatewayId')
    .select(['e.id', 'e.name', 'e.kind', 'e.template', 'e.buildingId', 'e.floorId', 'e.gatewayId'])
    .select([
      'e.submeterOf',
      'e.protocol',
      'e.bus',
      'e.params',
      'd.state',
      'd.lastOkAt',
      'd.error',
      's.heardAt',
      'g.revokedAt',
    ])
    .select((eb) => [
      keyPoint(eb, powerKeys).as('powerPointId'),
      keyPoint(eb, registerKeys).as('registerPointId'),
    ])
    .select(
      sql<string[]>`array(select coalesce(v.floor_id, v.space_id)::text from equipment_serves v
        where v.equipment_id = e.id order by 1)`.as('serves'),
    )
    .where('e.accountId', '=', accountId);

/** Names and times of kept secrets, as JSON. */
const detailRows = (db: Db, accountId: string) =>
  equipmentRows(db, accountId)
    .select(['e.key', 'e.spaceId', 'e.tags', 'e.brick', 'e.retiredAt', 'e.version'])
    .select(sql<number>`(select count(*)::int from point p where p.equipment_id = e.id)`.as('points'))
    .select(
      sql<{ name: string; setAt: string }[]>`coalesce((select json_agg(json_build_object('name', s.name,
        'setAt', to_char(s.set_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by s.name)
        from equipment_secret s where s.equipment_id = e.id), '[]')`.as('secrets'),
    );

/** The device's point with the first of these keys that it has. */
const keyPoint = (eb: ExpressionBuilder<Tables & { e: Tables['equipment'] }, 'e'>, keys: readonly string[]) =>
  eb
    .selectFrom('point as p')
    .select('p.id')
    .whereRef('p.equipmentId', '=', 'e.id')
    .where('p.key', 'in', [...keys])
    .orderBy(sql`array_position(${[...keys]}::text[], p.key)`)
    .limit(1);
