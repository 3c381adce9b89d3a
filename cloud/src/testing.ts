import type { Role } from '@parkline/contract';
import { roles, tenantRoles } from '@parkline/contract';
import type { Pool } from 'pg';
import { givenFleet, mixedPark } from './fleet/testing.ts';
import { givenAccount, type LoggedIn, loggedIn } from './identity/testing.ts';
import { seedUsagePoints } from './metering/index.ts';
import { parseParkFile } from './fleet/index.ts';
import { createDb, type Db, withAccount } from './platform/db.ts';
import { newId } from './platform/ids.ts';
import { gatewayOf } from './testing-insert.ts';
import {
  givenBystanders,
  givenIntegrations,
  givenPlaces,
  givenProvisioning,
  givenThings,
} from './testing-kept.ts';
import {
  givenBill,
  givenCommand,
  givenReadings,
  givenReport,
  givenRollout,
  givenWork,
} from './testing-work.ts';

/** An account with something of everything, and somebody of every role. */
export interface FullAccount {
  readonly accountId: string;
  /** What stands for `:name` in the paths that begin with the key; longest first match. */
  readonly ids: Readonly<Record<string, string>>;
  /** Headers by role; the tenant_admin is of `atelier`. */
  readonly as: Readonly<Record<Role, LoggedIn>>;
  /** Somebody of the other tenant. */
  readonly bistro: LoggedIn;
  /** A usage point of the other tenant alone. */
  readonly bistroUsagePoint: string;
  readonly tenants: ReadonlyMap<string, string>;
  /** How many people the tenant has; all but one of them with a role and a session. */
  readonly peopleOfAtelier: number;
}

/** `pool` is the owner's, not bound by policies. */
export async function givenFullAccount(pool: Pool): Promise<FullAccount> {
  const db = createDb(pool);
  const accountId = await givenAccount(db);
  await givenFleet(db, accountId, mixedPark);
  await withAccount(db, accountId, (trx) => seedUsagePoints(trx, accountId, parseParkFile(mixedPark), newId));
  const idOf = async (table: string, key: string) => {
    const { rows } = await pool.query<{ id: string }>(
      `select id from ${table} where account_id = $1 and key = $2`,
      [accountId, key],
    );
    return rows[0]!.id;
  };
  const tenants = new Map<string, string>();
  for (const key of ['atelier', 'bistro']) tenants.set(key, await idOf('tenant', key));
  const as = {} as Record<Role, LoggedIn>;
  for (const role of roles)
    as[role] = await loggedIn(
      db,
      accountId,
      [role],
      tenantRoles.includes(role) ? tenants.get('atelier') : null,
    );
  const equipment = await idOf('equipment', 'm-ahu');
  const point = await givenReadings(pool, accountId, equipment);
  const technician = await technicianOf(db, accountId);
  const work = await givenWork(pool, {
    accountId,
    equipment,
    building: await idOf('building', 'm'),
    technician,
  });
  const bills = await givenBill(pool, accountId);
  const command = await givenCommand(pool, accountId, point, technician);
  return {
    accountId,
    as,
    tenants,
    // And the bystander.
    peopleOfAtelier: tenantRoles.length + 1,
    bistro: await loggedIn(db, accountId, ['tenant_admin'], tenants.get('bistro')),
    bistroUsagePoint: await idOf('usage_point', 'm-102'),
    ids: {
      '/api/gateways': await gatewayOf(pool, equipment),
      '/api/equipment': equipment,
      '/api/points': point,
      ':key': 'device-offline',
      '/api/commands': command,
      ...(await givenThings(pool, {
        account_id: accountId,
        equipment,
        floor: await idOf('floor', 'm-1'),
        person: technician,
      })),
      ...(await givenProvisioning(pool, accountId, await gatewayOf(pool, equipment), technician)),
      ...(await givenIntegrations(pool, accountId, technician)),
      '/api/my/usage-points': await idOf('usage_point', 'm-101'),
      '/api/commissioning': await idOf('equipment', 'm-main'),
      '/api/rollouts': await givenRollout(pool, accountId, technician),
      '/api/commissioning-reports': await givenReport(pool, accountId, technician),
      ...work,
      ...bills,
      ...(await givenPlaces(pool, accountId, idOf)),
      ...(await givenBystanders(pool, accountId, tenants.get('atelier')!)),
    },
  };
}

async function technicianOf(db: Db, accountId: string): Promise<string> {
  const { id } = await db
    .selectFrom('roleGrant')
    .select('personId as id')
    .where('accountId', '=', accountId)
    .where('role', '=', 'technician')
    .executeTakeFirstOrThrow();
  return id;
}
