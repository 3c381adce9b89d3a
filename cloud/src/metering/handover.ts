import './tables.ts';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { JobHandlers } from '../platform/run-jobs.ts';
import { LEASE_MOVED_IN, LEASE_MOVED_OUT, type LeaseMoved } from '../tenancy/index.ts';

/** Of these usage points, those that measure one of the spaces. */
export async function usagePointsOf(
  db: Db,
  accountId: string,
  spaceIds: readonly string[],
  usagePointIds: readonly string[],
): Promise<readonly string[]> {
  if (usagePointIds.length === 0) return [];
  const rows = await db
    .selectFrom('usagePoint')
    .select('id')
    .where('accountId', '=', accountId)
    .where('spaceId', 'in', spaceIds)
    .where('id', 'in', usagePointIds)
    .execute();
  return rows.map(({ id }) => id);
}

/** Writes down what meters showed. Safe to be told twice: a reading of a lease and usage point is there once. */
async function noteHandover(
  trx: Db,
  accountId: string,
  what: 'first' | 'final',
  { leaseId, date, readings }: LeaseMoved,
): Promise<void> {
  await sql`
    insert into handover_reading as r (account_id, lease_id, tenant_id, usage_point_id, what, at, counts)
    select l.account_id, l.id, l.tenant_id, u.id, ${what}, ${date}::date::timestamp at time zone t.timezone, n.counts
    from jsonb_to_recordset(${JSON.stringify(readings)}::jsonb) as n ("usagePointId" uuid, counts float8)
    join lease l on l.account_id = ${accountId} and l.id = ${leaseId}
    join usage_point u on u.account_id = l.account_id and u.id = n."usagePointId"
    join space s on s.account_id = u.account_id and s.id = u.space_id
    join building b on b.id = s.building_id join site t on t.id = b.site_id
    on conflict (lease_id, usage_point_id, what) do update set at = excluded.at, counts = excluded.counts
      where (r.at, r.counts) is distinct from (excluded.at, excluded.counts)`.execute(trx);
}

/** Whose use it is follows from the days of the leases; what was read as they changed hands is kept here. */
export const handoverJobs: JobHandlers = {
  [LEASE_MOVED_IN]: (trx, { accountId, payload }) =>
    noteHandover(trx, accountId, 'first', payload as LeaseMoved),
  [LEASE_MOVED_OUT]: (trx, { accountId, payload }) =>
    noteHandover(trx, accountId, 'final', payload as LeaseMoved),
};
