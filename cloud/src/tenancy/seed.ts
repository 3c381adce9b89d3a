import './tables.ts';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';

/** The tenants and leases of a park file, and nothing else of it. */
export interface TenancyPlan {
  readonly tenants?: readonly { readonly key: string; readonly name: LocalText }[] | undefined;
  readonly leases?:
    | readonly {
        readonly key: string;
        readonly tenant: string;
        readonly spaces: readonly string[];
        /** 'YYYY-MM-DD'; `to` is the first day that is no longer let. */
        readonly from: string;
        readonly to: string | null;
        readonly headcount?: number | null | undefined;
      }[]
    | undefined;
}
type PlannedLease = NonNullable<TenancyPlan['leases']>[number];

/**
 * Makes the tenants and leases that are missing and brings the others up to the plan; what is not in the plan stays. A
 * second run changes nothing. `spaces`: ids by key. @throws Error on a tenant or space that was not seeded; the
 * database's error when a space would be let twice on one day.
 */
export async function seedTenancy(
  db: Db,
  accountId: string,
  plan: TenancyPlan,
  spaces: ReadonlyMap<string, string>,
  newId: NewId,
): Promise<void> {
  const tenants = await seedTenants(db, accountId, plan.tenants ?? [], newId);
  for (const lease of plan.leases ?? []) {
    const tenantId = idOf(tenants, lease.tenant);
    const leaseId = await seedLease(db, accountId, tenantId, lease, newId);
    const spaceIds = lease.spaces.map((key) => idOf(spaces, key));
    await seedLeaseSpaces(db, { accountId, leaseId, tenantId }, spaceIds);
  }
}

function idOf(ids: ReadonlyMap<string, string>, key: string): string {
  const id = ids.get(key);
  if (id === undefined) throw new Error(`${key} was not seeded`);
  return id;
}

async function seedTenants(
  db: Db,
  accountId: string,
  planned: NonNullable<TenancyPlan['tenants']>,
  newId: NewId,
): Promise<ReadonlyMap<string, string>> {
  const rows = planned.map(({ key, name }) => ({ id: newId(), accountId, key, name }));
  if (rows.length > 0)
    await db
      .insertInto('tenant')
      .values(rows)
      .onConflict((c) =>
        c
          .columns(['accountId', 'key'])
          .doUpdateSet((eb) => ({ name: eb.ref('excluded.name'), version: sql<number>`tenant.version + 1` }))
          .where(sql<boolean>`tenant.name is distinct from excluded.name`),
      )
      .execute();
  const found = await db
    .selectFrom('tenant')
    .select(['key', 'id'])
    .where('accountId', '=', accountId)
    .execute();
  return new Map(found.map(({ key, id }) => [key, id]));
}

async function seedLease(
  db: Db,
  accountId: string,
  tenantId: string,
  { key, from, to, headcount = null }: PlannedLease,
  newId: NewId,
): Promise<string> {
  await db
    .insertInto('lease')
    .values({ id: newId(), accountId, tenantId, key, fromDate: from, toDate: to, headcount })
    .onConflict((c) =>
      c
        .columns(['accountId', 'key'])
        .doUpdateSet((eb) => ({
          tenantId: eb.ref('excluded.tenantId'),
          fromDate: eb.ref('excluded.fromDate'),
          toDate: eb.ref('excluded.toDate'),
          headcount: eb.ref('excluded.headcount'),
          version: sql<number>`lease.version + 1`,
        }))
        .where(
          sql<boolean>`(lease.tenant_id, lease.from_date, lease.to_date, lease.headcount) is distinct from
            (excluded.tenant_id, excluded.from_date, excluded.to_date, excluded.headcount)`,
        ),
    )
    .execute();
  const { id } = await db
    .selectFrom('lease')
    .select('id')
    .where('accountId', '=', accountId)
    .where('key', '=', key)
    .executeTakeFirstOrThrow();
  return id;
}

async function seedLeaseSpaces(
  db: Db,
  lease: { readonly accountId: string; readonly leaseId: string; readonly tenantId: string },
  spaceIds: readonly string[],
): Promise<void> {
  await db
    .deleteFrom('leaseSpace')
    .where('accountId', '=', lease.accountId)
    .where('leaseId', '=', lease.leaseId)
    .where('spaceId', 'not in', [...spaceIds])
    .execute();
  await db
    .insertInto('leaseSpace')
    .values(spaceIds.map((spaceId) => ({ ...lease, spaceId })))
    .onConflict((c) => c.doNothing())
    .execute();
}
