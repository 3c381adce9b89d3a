import './tables.ts';
import type { OrderPhoto, PhotoKind, WorkOrderQuery, WorkOrderSettings } from '@parkline/contract';
import { type Insertable, sql } from 'kysely';
import { people } from '../identity/index.ts';
import type { Db, Tables } from '../platform/db.ts';
import { changeVersioned } from '../platform/versioned.ts';
import type { Candidate, DispatchReason } from './dispatch.ts';
import type { Order, Subject } from './domain.ts';
import type { OrderEvent } from './tables.ts';

/** Minutes to accept where the account has set nothing. */
const ACCEPT_WITHIN_MIN = 15;

/** Whose orders somebody sees: all, or the own ones and those that nobody has. */
export interface Sight {
  readonly accountId: string;
  /** Set: only what is this person's or nobody's. */
  readonly onlyOf: string | null;
}

const orderRows = (db: Db, { accountId, onlyOf }: Sight) =>
  db
    .selectFrom('workOrder as o')
    .leftJoin('fault as f', 'f.id', 'o.faultId')
    .leftJoin('equipment as e', 'e.id', 'o.equipmentId')
    .leftJoin('building as b', 'b.id', 'o.buildingId')
    .leftJoin('floor as l', 'l.id', 'o.floorId')
    .leftJoin('person as p', 'p.id', 'o.technicianId')
    .selectAll('o')
    .select(['f.openedAt as faultOpenedAt', 'f.clearedAt as faultClearedAt', 'e.name as equipmentName'])
    .select(['b.name as buildingName', 'l.name as floorName', 'p.name as technicianName'])
    .select(
      sql<OrderPhoto[]>`coalesce((select json_agg(json_build_object('id', h.file_id, 'kind', h.kind,
          'at', to_char(h.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by h.at, h.file_id)
        from work_order_photo h where h.order_id = o.id), '[]')`.as('photos'),
    )
    .where('o.accountId', '=', accountId)
    .$if(onlyOf !== null, (q) =>
      q.where((eb) => eb.or([eb('o.technicianId', '=', onlyOf), eb('o.state', '=', 'waiting')])),
    );

export type OrderRow = Awaited<ReturnType<ReturnType<typeof orderRows>['execute']>>[number];

const open = ['waiting', 'dispatched', 'accepted', 'in_progress'] as const;
const closed = ['done', 'cancelled'] as const;

export const workOrders = {
  /** Newest first; `after` is the id that the last page ended with. */
  page: (db: Db, sight: Sight, query: WorkOrderQuery): Promise<OrderRow[]> => {
    const { state, escalated, building, equipment, technician, after, limit } = query;
    return orderRows(db, sight)
      .$if(state !== undefined, (q) => q.where('o.state', '=', state!))
      .$if(query.open !== undefined, (q) => q.where('o.state', 'in', query.open ? open : closed))
      .$if(escalated !== undefined, (q) => q.where('o.escalatedAt', escalated ? 'is not' : 'is', null))
      .$if(building !== undefined, (q) => q.where('o.buildingId', '=', building!))
      .$if(equipment !== undefined, (q) => q.where('o.equipmentId', '=', equipment!))
      .$if(technician !== undefined, (q) => q.where('o.technicianId', '=', technician!))
      .$if(after !== undefined, (q) => q.where('o.id', '<', after!))
      .orderBy('o.id', 'desc')
      .limit(limit)
      .execute();
  },

  find: (db: Db, sight: Sight, id: string): Promise<OrderRow | undefined> =>
    orderRows(db, sight).where('o.id', '=', id).executeTakeFirst(),

  /** Locked until the transaction ends: of two who step at once the second sees what the first did. */
  lock: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('workOrder')
      .select(['id', 'accountId', 'state', 'technicianId', 'acceptBy', 'escalatedAt', 'dispatchedAt'])
      .select(['acceptedAt', 'startedAt', 'doneAt', 'note', 'version', 'year', 'seq', 'faultId'])
      .select(['severity', 'skill', 'buildingId', 'floorId'])
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst(),

  /** Saves unless someone else saved since `order` was read. @returns false when that race was lost. */
  save(db: Db, order: Order, dispatchReason?: DispatchReason): Promise<boolean> {
    const { state, technicianId, acceptBy, escalatedAt, dispatchedAt, acceptedAt, startedAt, doneAt, note } =
      order;
    return changeVersioned(db, 'workOrder', order, {
      ...{ state, technicianId, acceptBy, escalatedAt, dispatchedAt, acceptedAt, startedAt, doneAt, note },
      ...(dispatchReason && { dispatchReason }),
    });
  },

  async add(db: Db, row: Insertable<Tables['workOrder']>): Promise<void> {
    await db.insertInto('workOrder').values(row).execute();
  },

  /**
   * The next number of a year. Whoever asks holds the count until its transaction ends: numbers have no gaps, and orders
   * of an account are made one after another.
   */
  async nextSeq(db: Db, accountId: string, year: number): Promise<number> {
    const { last } = await db
      .insertInto('workOrderCount')
      .values({ accountId, year, last: 1 })
      .onConflict((c) =>
        c.columns(['accountId', 'year']).doUpdateSet({ last: sql<number>`work_order_count.last + 1` }),
      )
      .returning('last')
      .executeTakeFirstOrThrow();
    return last;
  },

  async note(
    db: Db,
    { accountId, id }: { accountId: string; id: string },
    { at, personId, ...event }: OrderEvent & { at: Date; personId: string | null },
  ): Promise<void> {
    await db
      .insertInto('workOrderEvent')
      .values({ accountId, orderId: id, at, personId, ...event })
      .execute();
  },

  /** In order, with the names of those who acted. */
  history: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('workOrderEvent as h')
      .leftJoin('person as p', 'p.id', 'h.personId')
      .select(['h.at', 'h.what', 'h.facts', 'p.name as who'])
      .where('h.accountId', '=', accountId)
      .where('h.orderId', '=', id)
      .orderBy('h.id')
      .execute(),

  /** Everybody who can be sent, with what they have to do already. */
  async technicians(db: Db, accountId: string): Promise<Candidate[]> {
    const all = await people.technicians(db, accountId);
    const loads = await db
      .selectFrom('workOrder')
      .select(['technicianId', sql<number>`count(*)::int`.as('n')])
      .where('accountId', '=', accountId)
      .where('technicianId', 'is not', null)
      .where('state', 'in', ['dispatched', 'accepted', 'in_progress'])
      .groupBy('technicianId')
      .execute();
    const loadOf = new Map(loads.map(({ technicianId, n }) => [technicianId, n]));
    return all.map((one) => ({ ...one, openOrders: loadOf.get(one.id) ?? 0 }));
  },

  photo: (db: Db, accountId: string, orderId: string, fileId: string) =>
    db
      .selectFrom('workOrderPhoto')
      .select(['fileId', 'kind', 'at'])
      .where('accountId', '=', accountId)
      .where('orderId', '=', orderId)
      .where('fileId', '=', fileId)
      .executeTakeFirst(),

  photos: (db: Db, accountId: string, orderId: string) =>
    db
      .selectFrom('workOrderPhoto')
      .select(['fileId', 'kind', 'at', 'sourceSha256'])
      .where('accountId', '=', accountId)
      .where('orderId', '=', orderId)
      .execute(),

  async addPhoto(
    db: Db,
    photo: {
      accountId: string;
      orderId: string;
      fileId: string;
      kind: PhotoKind;
      sourceSha256: Buffer;
      at: Date;
    },
  ): Promise<void> {
    await db.insertInto('workOrderPhoto').values(photo).execute();
  },

  /** What the account has set; version 0: nothing. */
  async settings(db: Db, accountId: string): Promise<{ acceptWithinMin: number; version: number }> {
    const row = await db
      .selectFrom('workOrderSetting')
      .select(['acceptWithinMin', 'version'])
      .where('accountId', '=', accountId)
      .executeTakeFirst();
    return row ?? { acceptWithinMin: ACCEPT_WITHIN_MIN, version: 0 };
  },

  /** @returns whether `version` was still the one that stands there; otherwise nothing is changed. */
  async saveSettings(
    db: Db,
    accountId: string,
    version: number,
    { acceptWithinMin }: WorkOrderSettings,
  ): Promise<boolean> {
    const row = { acceptWithinMin, version: version + 1 };
    if (version === 0) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('workOrderSetting')
        .values({ accountId, ...row })
        .onConflict((c) => c.doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows === 1n;
    }
    const { numUpdatedRows } = await db
      .updateTable('workOrderSetting')
      .set(row)
      .where('accountId', '=', accountId)
      .where('version', '=', version)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  },
};

export type LockedOrder = Order &
  Subject & { readonly year: number; readonly seq: number; readonly faultId: string | null };
