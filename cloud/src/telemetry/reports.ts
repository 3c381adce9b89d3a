import type { GatewayEvent } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';

/** Where a page ends. */
export interface ReportCursor {
  readonly at: Date;
  readonly id: string;
}

export interface ReportRow extends ReportCursor {
  readonly receivedAt: Date;
  readonly body: GatewayEvent;
  readonly subject: LocalText | null;
}

/** What a gateway reported, newest first; undefined when the account has no such gateway. */
export async function findReports(
  db: Db,
  accountId: string,
  gatewayId: string,
  page: { readonly limit: number; readonly after: ReportCursor | undefined },
): Promise<ReportRow[] | undefined> {
  const gateway = await db
    .selectFrom('gateway')
    .select('id')
    .where('accountId', '=', accountId)
    .where('id', '=', gatewayId)
    .executeTakeFirst();
  if (!gateway) return undefined;
  const { at, id } = page.after ?? { at: null, id: null };
  const { rows } = await sql<ReportRow>`
    select e.id, e.at, e.received_at as "receivedAt", e.body, coalesce(p.name, q.name) as subject
    from gateway_event e
    left join point p on p.account_id = e.account_id and p.id::text = e.body->>'pointId'
    left join equipment q on q.account_id = e.account_id and q.id::text = e.body->>'equipmentId'
    where e.account_id = ${accountId} and e.gateway_id = ${gatewayId}
      and (${at}::timestamptz is null or (e.at, e.id) < (${at}::timestamptz, ${id}::uuid))
    order by e.at desc, e.id desc limit ${page.limit}`.execute(db);
  return rows;
}
