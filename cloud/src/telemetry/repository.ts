import type { HistoryBy, PointKind, PointQuery, WriteLimits } from '@parkline/contract';
import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';

/** A point beside its latest reading. Values are as stored: counts for a register. */
export interface PointRow {
  readonly id: string;
  readonly num: number;
  readonly key: string;
  readonly name: LocalText;
  readonly unit: string;
  readonly kind: PointKind;
  readonly resolution: number;
  readonly decimals: number;
  readonly protocol: string;
  readonly staleAfterMs: number;
  /** What the whole numbers of a state mean. */
  readonly states: Readonly<Record<string, LocalText>> | null;
  readonly write: WriteLimits | null;
  readonly equipmentId: string;
  readonly equipmentKey: string;
  readonly at: Date | null;
  readonly value: number | null;
  readonly quality: number | null;
}

/** A place in the list of points: by equipment, then in the order of its template. */
export interface PointCursor {
  readonly equipmentKey: string;
  readonly num: number;
}

export interface PointFilter extends Pick<PointQuery, 'equipment' | 'building' | 'protocol'> {
  readonly ids?: readonly string[];
}

const pointColumns = sql`
  p.id, p.num, p.key, p.name, p.unit, p.kind, p.resolution, p.decimals, p.protocol, p.stale_after_ms, p.states,
  p.write,
  e.id as equipment_id, e.key as equipment_key, l.ts as at, l.value, l.quality`;

/** Points come from fleet and their latest values from here: one join, because a page of both is asked for every second. */
export async function findPoints(
  db: Db,
  accountId: string,
  filter: PointFilter,
  page: { readonly limit?: number; readonly after?: PointCursor | undefined } = {},
): Promise<PointRow[]> {
  const where = [sql`p.account_id = ${accountId}`, ...conditions(filter)];
  if (page.after) where.push(sql`(e.key, p.num) > (${page.after.equipmentKey}, ${page.after.num})`);
  const { rows } = await sql<PointRow>`
    select ${pointColumns}
    from point p
    join equipment e on e.account_id = p.account_id and e.id = p.equipment_id
    left join point_latest l on l.point_num = p.num
    where ${sql.join(where, sql` and `)}
    order by e.key, p.num
    limit ${page.limit ?? null}`.execute(db);
  return rows;
}

function conditions({ equipment, building, protocol, ids }: PointFilter): RawBuilder<unknown>[] {
  const where: RawBuilder<unknown>[] = [];
  if (equipment !== undefined) where.push(sql`e.id = ${equipment}`);
  if (building !== undefined) where.push(sql`e.building_id = ${building}`);
  if (protocol !== undefined) where.push(sql`p.protocol = ${protocol}`);
  if (ids !== undefined) where.push(sql`p.id = any(${[...ids]}::uuid[])`);
  return where;
}

/** What the history of a point needs to know of it. */
export interface HistoryPoint {
  readonly id: string;
  readonly unit: string;
  readonly kind: PointKind;
  readonly resolution: number;
  readonly staleAfterMs: number;
  /** IANA zone of its site. */
  readonly timezone: string;
}

export async function findHistoryPoint(
  db: Db,
  accountId: string,
  id: string,
): Promise<HistoryPoint | undefined> {
  const { rows } = await sql<HistoryPoint>`
    select p.id, p.unit, p.kind, p.resolution, p.stale_after_ms, s.timezone
    from point p
    join equipment e on e.account_id = p.account_id and e.id = p.equipment_id
    join building b on b.account_id = e.account_id and b.id = e.building_id
    join site s on s.account_id = b.account_id and s.id = b.site_id
    where p.account_id = ${accountId} and p.id = ${id}`.execute(db);
  return rows[0];
}

/** Reads through the checked functions of migration 0012: a foreign point simply has no rows. Intervals are half-open. */
export const readings = {
  async raw(db: Db, pointId: string, from: Date, to: Date, limit: number) {
    const { rows } = await sql<{ ts: Date; value: number | null; quality: number; flags: number }>`
      select * from reading_raw(${pointId}, ${from}, ${to}, ${limit})`.execute(db);
    return rows;
  },

  async gaps(
    db: Db,
    point: HistoryPoint,
    span: { from: Date; to: Date; now: Date },
    importMs: number,
    limit: number,
  ) {
    const { rows } = await sql<{ gapFrom: Date; gapTo: Date }>`
      select * from reading_gaps(${point.id}, ${span.from}, ${span.to}, ${span.now},
        ${ms(point.staleAfterMs)}, ${ms(importMs)}, ${limit})`.execute(db);
    return rows;
  },

  async buckets(db: Db, point: HistoryPoint, from: Date, to: Date, by: HistoryBy) {
    const { rows } = await sql<{
      at: Date;
      mean: number | null;
      leastValue: number | null;
      greatestValue: number | null;
      worst: number;
      simulated: boolean;
    }>`select * from reading_buckets(${point.id}, ${from}, ${to}, ${by}, ${point.timezone})`.execute(db);
    return rows;
  },

  async registerAt(db: Db, pointId: string, at: readonly Date[]) {
    const { rows } = await sql<{ at: Date; value: number; simulated: boolean }>`
      select * from reading_register_at(${pointId}, ${[...at]}::timestamptz[])`.execute(db);
    return rows;
  },

  async registerLast(db: Db, pointId: string, from: Date, to: Date) {
    const { rows } = await sql<{ ts: Date; value: number; simulated: boolean }>`
      select * from reading_register_last(${pointId}, ${from}, ${to})`.execute(db);
    return rows[0];
  },
};

const ms = (value: number) => sql`${value} * interval '1 millisecond'`;

/**
 * The edges of the local hours, days or months that touch [from, to): one more than there are buckets. The database cuts
 * them, so that a day of 23 or 25 hours is one bucket and the same one everywhere.
 */
export async function bucketEdges(
  db: Db,
  { from, to, by, zone }: { from: Date; to: Date; by: HistoryBy; zone: string },
): Promise<Date[]> {
  const step = sql`${`1 ${by}`}::interval`;
  const { rows } = await sql<{ edge: Date }>`
    select edge from generate_series(
      date_trunc(${by}, ${from}::timestamptz, ${zone}), ${to}::timestamptz + 2 * ${step}, ${step}, ${zone}) edge`.execute(
    db,
  );
  const edges = rows.map(({ edge }) => edge);
  const last = edges.findIndex((edge) => edge >= to);
  return edges.slice(0, last + 1);
}
