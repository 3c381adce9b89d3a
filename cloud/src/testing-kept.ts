// Rows of what people administer, as `givenFullAccount` puts them into an account.
import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { newId } from './platform/ids.ts';
import { AT, gatewayOf, insert } from './testing-insert.ts';

/** Places as they are edited, with somebody to be reached at the tenant. */
export async function givenPlaces(
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
export async function givenProvisioning(pool: Pool, account_id: string, gateway_id: string, person: string) {
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
export async function givenThings(
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
export async function givenBystanders(pool: Pool, account_id: string, tenant_id: string) {
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
    ...(await givenWhatIsOnesOwn(pool, account_id, staff)),
    '/api/me/login-links': provider,
    '/api/people': staff,
    '/api/my/people': colleague,
    '/api/identity-providers': provider,
    '/api/invitations': invited,
    '/api/my/invitations': invitedColleague,
    ':grantId': grant,
    '/api/display-tokens': screen,
  };
}

/** What one person alone may end, and an import. */
async function givenWhatIsOnesOwn(pool: Pool, account_id: string, person_id: string) {
  const [session, factor, batch, of] = [newId(), newId(), newId(), { account_id, person_id }];
  await insert(pool, 'session', {
    ...{ ...of, id: session, token_hash: `\\x${randomBytes(32).toString('hex')}` },
    ...{ created_at: AT, seen_at: AT, expires_at: new Date('2100-01-01') },
  });
  await insert(pool, 'totp', {
    ...{ ...of, id: factor, name: 'Phone', sealed_secret: 'sealed', created_at: AT },
  });
  await insert(pool, 'import_batch', {
    ...{ ...of, id: batch, kind: 'sites', at: AT, added: 0, changed: 0 },
  });
  return { '/api/me/sessions': session, '/api/me/second-factors': factor, '/api/imports': batch };
}

/** A key of a program, and a subscription. */
export async function givenIntegrations(pool: Pool, account_id: string, person_id: string) {
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
