import './tables.ts';
import type { CheckedReading } from '@parkline/contract';
import { loadTemplates } from '@parkline/templates';
import { type Insertable, sql } from 'kysely';
import type { Db, Tables } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';

/** A meter, the register that proves it, and what was recorded of it. */
export interface MeterRow extends Partial<Recorded> {
  readonly equipmentId: string;
  readonly equipmentKey: string;
  readonly equipmentName: LocalText;
  readonly buildingId: string;
  readonly buildingName: LocalText;
  readonly gatewayId: string;
  readonly gatewayName: LocalText;
  readonly timezone: string;
  readonly pointId: string;
  readonly pointName: LocalText;
  readonly unit: string;
  readonly staleAfterMs: number;
  readonly recordedByName: string | null;
  readonly waivedByName: string | null;
}
type Recorded = {
  readonly [K in keyof Omit<Tables['commissioning'], 'checks' | 'version' | 'equipmentId' | 'pointId'>]:
    Tables['commissioning'][K] | null;
} & {
  readonly checks: CheckedReading[] | null;
  readonly version: number | null;
};

export interface MeterFilter {
  readonly gatewayId?: string | undefined;
  readonly equipmentId?: string | undefined;
}

/** Keys of the registers that bill, by template; a device without a template is proven by its first register. */
const billingKeys: readonly string[] = [
  ...new Set(
    [...loadTemplates().values()].flatMap(({ points }) =>
      points.filter(({ billing }) => billing).map(({ key }) => key),
    ),
  ),
];

export const meters = {
  /** Every device that has a register which bills, by building and name. */
  async list(db: Db, { gatewayId, equipmentId }: MeterFilter = {}): Promise<MeterRow[]> {
    const { rows } = await sql<MeterRow>`
      select e.id as equipment_id, e.key as equipment_key, e.name as equipment_name, e.building_id,
        b.name as building_name, e.gateway_id, g.name as gateway_name, s.timezone,
        p.id as point_id, p.name as point_name, p.unit, p.stale_after_ms,
        c.account_id, c.state, c.version, c.serial, c.ct_ratio, c.pt_ratio, c.ratio_applied, c.display, c.read_at,
        c.later_display, c.later_read_at, c.photo_id, c.recorded_by, c.recorded_at, c.checks,
        c.metering_multiplier::text as metering_multiplier, c.ratio_fault, c.checked_at, c.waived_by, c.waived_at,
        c.waive_reason, r.name as recorded_by_name, w.name as waived_by_name
      from equipment e
      join building b on b.id = e.building_id join site s on s.id = b.site_id
      join gateway g on g.id = e.gateway_id
      join lateral (
        select p.* from point p
        where p.equipment_id = e.id and p.kind = 'register' and p.key = any (${billingKeys}) order by p.num limit 1
      ) p on true
      left join commissioning c on c.equipment_id = e.id
      left join person r on r.id = c.recorded_by
      left join person w on w.id = c.waived_by
      where (${gatewayId ?? null}::uuid is null or e.gateway_id = ${gatewayId ?? null})
        and (${equipmentId ?? null}::uuid is null or e.id = ${equipmentId ?? null})
      order by b.key, e.key`.execute(db);
    return rows;
  },

  find: async (db: Db, equipmentId: string): Promise<MeterRow | undefined> =>
    (await meters.list(db, { equipmentId }))[0],

  /** The row of a meter, locked; made where there is none. @returns its version, 0 for one that was just made. */
  async lock(trx: Db, accountId: string, equipmentId: string, pointId: string): Promise<number> {
    const made = await trx
      .insertInto('commissioning')
      .values({ equipmentId, accountId, pointId, state: 'open', version: 0 })
      .onConflict((conflict) => conflict.column('equipmentId').doNothing())
      .returning('version')
      .executeTakeFirst();
    if (made) return 0;
    const { version } = await trx
      .selectFrom('commissioning')
      .select('version')
      .where('accountId', '=', accountId)
      .where('equipmentId', '=', equipmentId)
      .forUpdate()
      .executeTakeFirstOrThrow();
    return version;
  },

  async set(
    trx: Db,
    accountId: string,
    equipmentId: string,
    change: Partial<Omit<Insertable<Tables['commissioning']>, 'version'>>,
    isEdit = false,
  ): Promise<void> {
    await trx
      .updateTable('commissioning')
      .set((eb) => ({ ...change, ...(isEdit && { version: eb('version', '+', 1) }) }))
      .where('accountId', '=', accountId)
      .where('equipmentId', '=', equipmentId)
      .execute();
  },
};

/** Whether the person who asks sees this gateway. */
export const gatewayNamed = (db: Db, id: string) =>
  db
    .selectFrom('gateway as g')
    .innerJoin('building as b', 'b.id', 'g.buildingId')
    .innerJoin('site as s', 's.id', 'b.siteId')
    .innerJoin('account as a', 'a.id', 'g.accountId')
    .select(['g.id', 'g.key', 'g.name', 's.name as siteName', 's.timezone', 'a.name as accountName'])
    .where('g.id', '=', id)
    .executeTakeFirst();

const reportColumns = [
  'r.id',
  'r.gatewayId',
  'r.seq',
  'r.content',
  'r.createdAt',
  'r.proof',
  'r.signature',
] as const;

export const reports = {
  list: (db: Db, accountId: string) =>
    db
      .selectFrom('commissioningReport as r')
      .select(reportColumns)
      .where('r.accountId', '=', accountId)
      .orderBy('r.seq', 'desc')
      .limit(100)
      .execute(),

  find: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('commissioningReport as r')
      .select(reportColumns)
      .where('r.accountId', '=', accountId)
      .where('r.id', '=', id)
      .executeTakeFirst(),

  file: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('commissioningReport')
      .select(['seq', 'pdf', 'proof', 'signature', 'publicKey'])
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst(),

  signatures: (db: Db, accountId: string, ids: readonly string[]) =>
    ids.length === 0
      ? Promise.resolve([])
      : db
          .selectFrom('commissioningSignature')
          .select(['reportId', 'signedAs', 'personId', 'personName', 'at', 'factor'])
          .where('accountId', '=', accountId)
          .where('reportId', 'in', ids)
          .orderBy('at')
          .execute(),

  /** Numbers of an account go up without a hole: whoever makes a report waits for the one before. */
  async nextSeq(trx: Db, accountId: string): Promise<number> {
    await sql`select pg_advisory_xact_lock(721535, hashtext(${accountId}))`.execute(trx);
    const last = await trx
      .selectFrom('commissioningReport')
      .select((eb) => eb.fn.max('seq').as('seq'))
      .where('accountId', '=', accountId)
      .executeTakeFirst();
    return (last?.seq ?? 0) + 1;
  },
};

export type ReportRow = Awaited<ReturnType<typeof reports.list>>[number];
export type SignatureRow = Awaited<ReturnType<typeof reports.signatures>>[number];
