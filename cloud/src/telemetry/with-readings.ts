import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';

/** Which of these points have readings, live or imported. */
export async function pointsWithReadings(
  db: Db,
  accountId: string,
  pointIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ id: string }>`
    select p.id from point p
    where p.account_id = ${accountId} and p.id = any(${[...pointIds]}::uuid[])
      and (exists (select from point_latest l where l.point_num = p.num)
        or exists (select from reading_raw(p.id, '1970-01-01', '2200-01-01', 1)))`.execute(db);
  return new Set(rows.map(({ id }) => id));
}
