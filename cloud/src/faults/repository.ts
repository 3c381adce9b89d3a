import './tables.ts';
import type { ClearReason, FaultQuery, FaultRuleSettings, OrderState } from '@parkline/contract';
import { type Insertable, sql } from 'kysely';
import type { Db, Tables } from '../platform/db.ts';
import type { Cause } from './causes.ts';

/** Time for which a fault that is over still explains others: rooms take their time to cool. */
export const AFTERMATH_MS = 30 * 60_000;

const faultRows = (db: Db, accountId: string) =>
  db
    .selectFrom('fault as f')
    .leftJoin('equipment as e', 'e.id', 'f.equipmentId')
    .leftJoin('gateway as g', 'g.id', 'f.gatewayId')
    .innerJoin('building as b', 'b.id', 'f.buildingId')
    .innerJoin('site as s', 's.id', 'b.siteId')
    .leftJoin('person as p', 'p.id', 'f.acknowledgedBy')
    .select(['f.id', 'f.rule', 'f.severity', 'f.equipmentId', 'f.gatewayId', 'f.buildingId', 'f.floorId'])
    .select(['f.pointIds', 'f.evidence', 'f.openedAt', 'f.clearedAt', 'f.clearedWhy', 'f.acknowledgedAt'])
    .select(['f.causeId', 'f.orderId', 'f.orderNumber', 'f.orderState', 's.timezone'])
    .select(['p.name as acknowledgedByName', 'e.name as equipmentName', 'g.name as gatewayName'])
    .select((eb) =>
      eb
        .selectFrom('fault as c')
        .select(sql<number>`count(*)::int`.as('n'))
        .whereRef('c.accountId', '=', 'f.accountId')
        .whereRef('c.causeId', '=', 'f.id')
        .$asScalar()
        .$notNull()
        .as('consequences'),
    )
    .where('f.accountId', '=', accountId);

export type FaultRow = Awaited<ReturnType<ReturnType<typeof faultRows>['execute']>>[number];

export const faults = {
  /** Newest first; `after` is the id that the last page ended with. */
  page: (db: Db, accountId: string, query: FaultQuery): Promise<FaultRow[]> => {
    const { state, severity, building, equipment, rule, cause, all, after, limit } = query;
    return faultRows(db, accountId)
      .$if(state !== undefined, (q) => q.where('f.clearedAt', state === 'open' ? 'is' : 'is not', null))
      .$if(severity !== undefined, (q) => q.where('f.severity', '=', severity!))
      .$if(building !== undefined, (q) => q.where('f.buildingId', '=', building!))
      .$if(equipment !== undefined, (q) => q.where('f.equipmentId', '=', equipment!))
      .$if(rule !== undefined, (q) => q.where('f.rule', '=', rule!))
      .$if(cause !== undefined, (q) => q.where('f.causeId', '=', cause!))
      .$if(cause === undefined && !all, (q) => q.where('f.causeId', 'is', null))
      .$if(after !== undefined, (q) => q.where('f.id', '<', after!))
      .orderBy('f.id', 'desc')
      .limit(limit)
      .execute();
  },

  find: (db: Db, accountId: string, id: string): Promise<FaultRow | undefined> =>
    faultRows(db, accountId).where('f.id', '=', id).executeTakeFirst(),

  /** What its order is made of; locked, so that what is noted on it follows what was read. */
  lock: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('fault')
      .select(['id', 'rule', 'severity', 'equipmentId', 'gatewayId', 'buildingId', 'floorId'])
      .select(['openedAt', 'clearedAt', 'clearedWhy', 'causeId', 'orderId'])
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst(),

  /** Which order a fault has, and whether it is over; not locked. */
  orderOf: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('fault')
      .select(['orderId', 'clearedAt', 'clearedWhy'])
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst(),

  async add(db: Db, rows: readonly Insertable<Tables['fault']>[]): Promise<void> {
    if (rows.length > 0)
      await db
        .insertInto('fault')
        .values([...rows])
        .execute();
  },

  /** Ends an episode. @returns false when it was over already. */
  async clear(db: Db, accountId: string, id: string, at: Date, why: ClearReason): Promise<boolean> {
    const { numUpdatedRows } = await db
      .updateTable('fault')
      // A clock set back must not make an episode end before it began.
      .set({ clearedAt: sql<Date>`greatest(${at}::timestamptz, opened_at)`, clearedWhy: why })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .where('clearedAt', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  },

  /** The first acknowledgement stays. @returns false when there was one already. */
  async acknowledge(db: Db, accountId: string, id: string, at: Date, personId: string): Promise<boolean> {
    const { numUpdatedRows } = await db
      .updateTable('fault')
      .set({ acknowledgedAt: at, acknowledgedBy: personId })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .where('acknowledgedAt', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  },

  /** Faults that may explain another: open, or over for less than their aftermath. Oldest first. */
  causes: (db: Db, accountId: string, now: Date): Promise<(Cause & { readonly orderId: string | null })[]> =>
    db
      .selectFrom('fault')
      .select(['id', 'rule', 'subjectId', 'causeId', 'orderId'])
      .where('accountId', '=', accountId)
      .where((eb) =>
        eb.or([eb('clearedAt', 'is', null), eb('clearedAt', '>', new Date(now.getTime() - AFTERMATH_MS))]),
      )
      .orderBy('id')
      .execute(),

  /** Groups open faults under `causeId`, unless they have an order of their own. */
  async group(db: Db, accountId: string, ids: readonly string[], causeId: string): Promise<void> {
    await db
      .updateTable('fault')
      .set({ causeId })
      .where('accountId', '=', accountId)
      .where((eb) => eb.or([eb('id', 'in', [...ids]), eb('causeId', 'in', [...ids])]))
      .where('id', '!=', causeId)
      .where('clearedAt', 'is', null)
      .where('orderId', 'is', null)
      .execute();
  },

  /** Consequences that outlived their cause by its aftermath stand by themselves from now on. */
  outlived: async (db: Db, accountId: string, now: Date): Promise<{ id: string; severity: string }[]> => {
    const { rows } = await sql<{ id: string; severity: string }>`
      update fault f set cause_id = null from fault c
      where f.account_id = ${accountId} and f.cleared_at is null and f.cause_id = c.id and c.account_id = f.account_id
        and c.cleared_at <= ${new Date(now.getTime() - AFTERMATH_MS)}
      returning f.id, f.severity`.execute(db);
    return rows;
  },

  /** Told by the side of the orders: which order a fault has, and how far it is. */
  async noteOrder(
    db: Db,
    accountId: string,
    id: string,
    order: { id: string; number: string; state: OrderState },
  ): Promise<void> {
    await db
      .updateTable('fault')
      .set({ orderId: order.id, orderNumber: order.number, orderState: order.state })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  openOf: (db: Db, accountId: string, rules: readonly string[], equipmentId: string) =>
    db
      .selectFrom('fault')
      .select('id')
      .where('accountId', '=', accountId)
      .where('rule', 'in', [...rules])
      .where('equipmentId', '=', equipmentId)
      .where('clearedAt', 'is', null)
      .execute(),

  async openCounts(db: Db, accountId: string): Promise<Record<string, number>> {
    const rows = await db
      .selectFrom('fault')
      .select(['severity', sql<number>`count(*)::int`.as('n')])
      .where('accountId', '=', accountId)
      .where('clearedAt', 'is', null)
      .groupBy('severity')
      .execute();
    return Object.fromEntries(rows.map(({ severity, n }) => [severity, n]));
  },

  /** @returns whether `version` was still the one that stands there; otherwise nothing is changed. */
  async saveSetting(
    db: Db,
    accountId: string,
    rule: string,
    version: number,
    { enabled, forS, limit }: FaultRuleSettings,
    by: { updatedAt: Date; updatedBy: string },
  ): Promise<boolean> {
    const row = { enabled, forS, limitValue: limit, version: version + 1, ...by };
    if (version === 0) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('faultRuleSetting')
        .values({ accountId, rule, ...row })
        .onConflict((c) => c.doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows === 1n;
    }
    const { numUpdatedRows } = await db
      .updateTable('faultRuleSetting')
      .set(row)
      .where('accountId', '=', accountId)
      .where('rule', '=', rule)
      .where('version', '=', version)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  },
};
