import { randomBytes } from 'node:crypto';
import type { Role } from '@parkline/contract';
import { roles, tenantRoles } from '@parkline/contract';
import type { Pool } from 'pg';
import { givenFleet, mixedPark } from './fleet/testing.ts';
import { givenAccount, type LoggedIn, loggedIn } from './identity/testing.ts';
import { seedUsagePoints } from './metering/index.ts';
import { parseParkFile } from './fleet/index.ts';
import { createDb, type Db, withAccount } from './platform/db.ts';
import { newId } from './platform/ids.ts';

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

const words = (text: string) => ({ en: text, zh: text });
const AT = new Date('2026-11-01T00:00:00Z');

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

/** Places as they are edited, with somebody to be reached at the tenant. */
async function givenPlaces(
  pool: Pool,
  account_id: string,
  idOf: (table: string, key: string) => Promise<string>,
) {
  const contact = newId();
  const { rows } = await pool.query<{ site: string; lease: string; tenant: string }>(
    `select s.id as site, l.id as lease, l.tenant_id as tenant from site s, lease l
     where s.account_id = $1 and l.account_id = $1 order by l.id limit 1`,
    [account_id],
  );
  const { site, lease, tenant } = rows[0]!;
  await insert(pool, 'tenant_contact', {
    ...{
      id: contact,
      account_id,
      tenant_id: tenant,
      key: 'c-1',
      kind: 'general',
      name: 'Li Lei',
      version: 1,
    },
  });
  return {
    ...{ '/api/sites': site, '/api/leases': lease, '/api/contacts': contact, '/api/tenants': tenant },
    '/api/buildings': await idOf('building', 'm'),
    '/api/floors': await idOf('floor', 'm-1'),
    '/api/spaces': await idOf('space', 'm-101'),
    ':from': '2020-01-01',
  };
}

/** A code, a configuration and a mapping of a gateway. */
async function givenProvisioning(pool: Pool, account_id: string, gateway_id: string, person: string) {
  const [code, mapping, of] = [newId(), newId(), { account_id, gateway_id }];
  await insert(pool, 'claim_code', {
    ...{ ...of, id: code, code_hash: `\\x${randomBytes(32).toString('hex')}`, failures: 0 },
    ...{ created_at: AT, expires_at: new Date(AT.getTime() + 3_600_000), created_by: person },
  });
  await insert(pool, 'gateway_config', {
    ...{ ...of, id: newId(), n: 1, yaml: 'version: 1', source: 'file', created_at: AT, created_by: person },
    ...{ state: 'refused', why: 'no gateway id' },
  });
  await insert(pool, 'gateway_mapping', {
    ...{ ...of, id: mapping, hash: 'ab'.repeat(32), received_at: AT, state: 'offered' },
    park: { buses: [], devices: [] },
  });
  return { ':codeId': code, ':mappingId': mapping, ':n': '1' };
}

/** A bus, a plan and a secret to be administered. */
async function givenThings(
  pool: Pool,
  { account_id, equipment, floor, person }: Record<'account_id' | 'equipment' | 'floor' | 'person', string>,
) {
  const bus = newId();
  const gateway_id = await gatewayOf(pool, equipment);
  await insert(pool, 'bus', {
    id: bus,
    account_id,
    gateway_id,
    key: 'spare',
    protocol: 'modbus',
    params: {},
  });
  const sealed_value = `sealed:v1:k:${'A'.repeat(40)}`;
  await insert(pool, 'bus_secret', { account_id, bus_id: bus, name: 'password', sealed_value, set_at: AT });
  await insert(pool, 'equipment_secret', {
    account_id,
    equipment_id: equipment,
    name: 'token',
    sealed_value,
    set_at: AT,
  });
  await insert(pool, 'floor_plan', {
    ...{ floor_id: floor, account_id, media_type: 'image/webp', width: 1, height: 1, bytes: '\\x00' },
    ...{
      sha256: `\\x${'00'.repeat(32)}`,
      marks: { spaces: [], devices: [] },
      changed_at: AT,
      changed_by: person,
    },
  });
  return { '/api/buses': bus, '/api/floors': floor, ':name': 'token' };
}

/** People to be administered, and invitations of both doors; nobody logs in as one of them. */
async function givenBystanders(pool: Pool, account_id: string, tenant_id: string) {
  const [staff, colleague, grant, invited, invitedColleague] = [newId(), newId(), newId(), newId(), newId()];
  const person = { account_id, language: 'en', skills: [], version: 1, created_at: AT };
  await insert(pool, 'person', { ...person, id: staff, login: staff, name: 'Staff' });
  await insert(pool, 'person', { ...person, id: colleague, login: colleague, name: 'Colleague', tenant_id });
  await insert(pool, 'role_grant', { id: grant, account_id, person_id: staff, role: 'guard' });
  const link = { account_id, name: 'An', email: 'an@example.org', language: 'en', invited_by: staff };
  const days = { created_at: AT, expires_at: new Date('2100-01-01') };
  const invite = (id: string, role: string, of: object) =>
    insert(pool, 'invitation', {
      ...{ ...link, ...days, ...of, id, login: id },
      grants: [{ role, siteId: null, buildingId: null }],
    });
  const provider = newId();
  await insert(pool, 'identity_provider', {
    ...{ id: provider, account_id, name: 'House', issuer: 'https://idp.example.org', client_id: provider },
    ...{ trust_second_factor: false, second_factor_acr: [], version: 1, created_at: AT },
  });
  await invite(invited, 'guard', {});
  await invite(invitedColleague, 'tenant_employee', { tenant_id });
  const screen = newId();
  await insert(pool, 'display_token', {
    ...{ ...days, id: screen, account_id, name: 'Lobby', person_id: staff },
    secret_hash: `\\x${'00'.repeat(32)}`,
  });
  return {
    '/api/people': staff,
    '/api/my/people': colleague,
    '/api/identity-providers': provider,
    '/api/invitations': invited,
    '/api/my/invitations': invitedColleague,
    ':grantId': grant,
    '/api/display-tokens': screen,
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

/** Offered to one gateway. */
async function givenRollout(pool: Pool, account_id: string, by: string): Promise<string> {
  const [release, id] = [newId(), newId()];
  const { rows } = await pool.query<{ id: string }>('select id from gateway where account_id = $1', [
    account_id,
  ]);
  await insert(pool, 'release', {
    ...{ id: release, account_id, version: '1.0.0', platforms: ['linux-x64'], manifest: '{}', signature: '' },
    ...{ manifest_sha256: 'ab'.repeat(32), pack_sha256: 'cd'.repeat(32), pack_bytes: 1, chunks: 1 },
    ...{ made_at: AT, uploaded_at: AT, uploaded_by: by },
  });
  await insert(pool, 'release_chunk', { account_id, release_id: release, n: 0, bytes: '\\x00' });
  const rollout = { id, account_id, release_id: release, state: 'running', created_at: AT, created_by: by };
  await insert(pool, 'rollout', rollout);
  await insert(pool, 'gateway_update', {
    ...{ id: newId(), account_id, rollout_id: id, gateway_id: rows[0]!.id, state: 'sent', chunks_sent: 0 },
    ...{ offered_at: AT, changed_at: AT },
  });
  return id;
}

/** Nobody has signed it. */
async function givenReport(pool: Pool, account_id: string, created_by: string): Promise<string> {
  const id = newId();
  const { rows } = await pool.query<{ id: string }>('select id from gateway where account_id = $1', [
    account_id,
  ]);
  const gateway = { id: rows[0]!.id, key: 'gw-m', name: words('Gateway M') };
  const content = { gateway, meters: [], number: 'PC-00001' };
  const row = { id, account_id, gateway_id: gateway.id, seq: 1, content, created_at: AT, created_by };
  await insert(pool, 'commissioning_report', row);
  const signature = { account_id, report_id: id, signed_as: 'installer', person_name: 'Somebody', at: AT };
  await insert(pool, 'commissioning_signature', { ...signature, person_id: created_by, factor: 'totp' });
  return id;
}

async function gatewayOf(pool: Pool, equipment: string): Promise<string> {
  const sql = 'select gateway_id as id from equipment where id = $1';
  return (await pool.query<{ id: string }>(sql, [equipment])).rows[0]!.id;
}

/** Inserts one row; columns that are not named take their default. */
async function insert(pool: Pool, table: string, row: object): Promise<void> {
  const columns = Object.keys(row).join(', ');
  await pool.query(
    `insert into ${table} (${columns}) select ${columns} from jsonb_populate_record(null::${table}, $1)`,
    [JSON.stringify(row)],
  );
}

async function givenReadings(pool: Pool, account_id: string, equipment_id: string): Promise<string> {
  const { rows } = await pool.query<{ id: string; num: number; gateway: string }>(
    `select p.id, p.num, e.gateway_id as gateway from point p join equipment e on e.id = p.equipment_id
     where p.equipment_id = $1 order by p.num limit 1`,
    [equipment_id],
  );
  const { id, num: point_num, gateway } = rows[0]!;
  const value = { point_num, ts: AT, value: 21, quality: 0, flags: 0 };
  await pool.query('select reading_ensure(array[$1::timestamptz])', [AT]);
  await insert(pool, 'reading', value);
  await insert(pool, 'point_latest', { ...value, account_id });
  await insert(pool, 'gateway_status', { gateway_id: gateway, account_id, heard_at: AT });
  await insert(pool, 'device_status', { equipment_id, account_id, state: 'online', reported_at: AT });
  return id;
}

async function givenWork(
  pool: Pool,
  {
    accountId,
    equipment,
    building,
    technician,
  }: Record<'accountId' | 'equipment' | 'building' | 'technician', string>,
) {
  const [fault, order, photo] = [newId(), newId(), newId()];
  const of = { account_id: accountId, equipment_id: equipment, building_id: building };
  await insert(pool, 'fault', {
    ...{ ...of, id: fault, rule: 'device-offline', severity: 'warning', subject_id: equipment },
    ...{ point_ids: [], evidence: { values: {}, forS: 0 }, opened_at: AT },
  });
  await insert(pool, 'work_order', {
    ...{
      ...of,
      id: order,
      year: 2026,
      seq: 1,
      title: words('Look at it'),
      state: 'accepted',
      severity: 'warning',
    },
    ...{
      skill: 'hvac',
      fault_id: fault,
      technician_id: technician,
      created_at: AT,
      accepted_at: AT,
      version: 1,
    },
  });
  const hash = `\\x${'00'.repeat(32)}`;
  await insert(pool, 'file', {
    ...{ id: photo, account_id: accountId, media_type: 'image/webp', width: 1, height: 1, sha256: hash },
    ...{ source_sha256: hash, bytes: '\\x00', created_at: AT, person_id: technician },
  });
  await insert(pool, 'work_order_photo', {
    ...{
      account_id: accountId,
      order_id: order,
      file_id: photo,
      kind: 'before',
      source_sha256: hash,
      at: AT,
    },
  });
  return { '/api/faults': fault, '/api/work-orders': order, ':photoId': photo };
}

/** It waits for a second person; a technician cannot have asked for it, so nobody else is that person. */
async function givenCommand(pool: Pool, account_id: string, point_id: string, actor_id: string) {
  const id = newId();
  const { rows } = await pool.query<{ equipment_id: string; gateway_id: string }>(
    `select e.id as equipment_id, e.gateway_id from point p join equipment e on e.id = p.equipment_id where p.id = $1`,
    [point_id],
  );
  await insert(pool, 'command', {
    ...{ ...rows[0], id, account_id, point_id, actor_id, actor_name: 'Somebody', requested_at: AT },
    ...{ value: 1, reason: 'to see', safety: true, state: 'awaiting_approval' },
  });
  await insert(pool, 'audit_event', {
    ...{ account_id, at: AT, subject_id: id, action: 'command.requested', content: {} },
  });
  return id;
}

/** A key of a program, and a subscription. */
async function givenIntegrations(pool: Pool, account_id: string, person_id: string) {
  const key = newId();
  await insert(pool, 'api_key', {
    ...{ id: key, account_id, person_id, name: 'Energy report', scopes: ['place.read'] },
    ...{ secret_hash: `\\x${'00'.repeat(32)}`, created_at: AT, expires_at: '2027-11-01T00:00:00Z' },
  });
  const webhook = newId();
  await insert(pool, 'webhook', {
    ...{ id: webhook, account_id, name: 'Accounting', url: 'https://example.com/hook', created_at: AT },
    ...{ kinds: ['fault.raised'], sealed_secret: 'sealed', version: 1 },
  });
  return { '/api/api-keys': key, '/api/webhooks': webhook };
}

async function givenBill(pool: Pool, account_id: string) {
  const [run, statement, line] = [newId(), newId(), newId()];
  const zeros = {
    supply_kwh: 1,
    supply_energy: 1,
    supply_demand: 0,
    supply_power_factor: 0,
    supply_total: 1,
  };
  await insert(pool, 'billing_run', {
    ...{ id: run, account_id, site_name: 'Mill', timezone: 'Asia/Shanghai', currency: 'CNY', checks: [] },
    ...{
      from_date: '2026-10-01',
      to_date: '2026-11-01',
      interval_ms: 900_000,
      state: 'draft',
      created_at: AT,
    },
    ...{ inputs_hash: 'ab'.repeat(32), ...zeros },
  });
  await insert(pool, 'statement', {
    ...{ id: statement, account_id, run_id: run, ord: 0, party: 'Atelier', kind: 'tenant', kwh: 1 },
    ...{ estimated_kwh: 0, net: 1, tax: 0, total: 1 },
  });
  await insert(pool, 'statement_line', {
    ...{ id: line, account_id, run_id: run, statement_id: statement, ord: 0, kind: 'energy', amount: 1 },
    ...{ formula: '1 x 1', pool_lines: [], usage_points: [], meters: [], intervals: 0 },
  });
  return { '/api/billing-runs': run, '/api/statements': statement, '/api/statement-lines': line };
}
