import './tables.ts';
import { sql } from 'kysely';
import { audit } from '../identity/index.ts';
import type { Db } from '../platform/db.ts';
import type { JobHandlers } from '../platform/run-jobs.ts';

/** Ends the access of a tenant's people; the tenant is the key. */
export const CLOSE_ACCESS = 'tenancy.close_access';

/** Whether anything is or will be leased to a tenant: it then keeps its access. */
async function holdsAnything(trx: Db, accountId: string, tenantId: string, at: Date): Promise<boolean> {
  const { rows } = await sql<{ holds: boolean }>`
    select exists (
      select from lease_space ls
      join space s on s.id = ls.space_id join building b on b.id = s.building_id join site t on t.id = b.site_id
      where ls.account_id = ${accountId} and ls.tenant_id = ${tenantId}
        and (ls.to_date is null or ls.to_date::timestamp at time zone t.timezone > ${at})) as holds`.execute(
    trx,
  );
  return rows[0]?.holds ?? false;
}

/** Safe to be done twice: who is out already stays so. */
async function closeAccess(trx: Db, accountId: string, tenantId: string, at: Date): Promise<void> {
  if (await holdsAnything(trx, accountId, tenantId, at)) return;
  const { rows } = await sql<{ id: string }>`
    update person set disabled_at = ${at}
    where account_id = ${accountId} and tenant_id = ${tenantId} and disabled_at is null returning id`.execute(
    trx,
  );
  for (const { id } of rows) {
    await sql`delete from session where account_id = ${accountId} and person_id = ${id}`.execute(trx);
    const details = { why: 'moved_out', tenantId };
    await audit(trx, { accountId, at, personId: null, action: 'person.disabled', subjectId: id, details });
  }
}

export const accessJobs = ({ now }: { readonly now: () => Date }): JobHandlers => ({
  [CLOSE_ACCESS]: (trx, { accountId, key }) => closeAccess(trx, accountId, key, now()),
});
