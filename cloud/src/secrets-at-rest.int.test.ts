import { randomUUID } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { afterAll, expect, test } from 'vitest';
import { loggedIn } from './identity/testing.ts';
import { clonedDatabase } from './platform/testing.ts';
import { givenFullAccount } from './testing.ts';
import { serveApi } from './testing-api.ts';

const database = await clonedDatabase();
const rows = database.pool();
const { accountId } = await givenFullAccount(rows);
const { app, url } = await serveApi(database);
afterAll(() => app.close());

/** The session of one administrator; a new second factor gives it new cookies. */
let headers: Record<string, string> = await loggedIn(database.owner, accountId, ['account_admin']);

/** Asks under a key, so that the answer would be kept, and takes what the browser would. */
async function post(path: string, body?: object) {
  const reply = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: {
      ...headers,
      'idempotency-key': randomUUID(),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  const cookies = new Map(
    reply.headers.getSetCookie().map((one) => one.split(';')[0]!.split('=', 2) as [string, string]),
  );
  const [session, csrf] = [cookies.get('parkline_session'), cookies.get('parkline_csrf')];
  if (session && csrf) headers = { cookie: `parkline_session=${session}`, 'x-csrf-token': csrf };
  return (await reply.json()) as Record<string, string> & { codes: string[]; recoveryCodes: string[] };
}

const gatewayOf = async (): Promise<string> =>
  (await rows.query<{ id: string }>('select id from gateway where account_id = $1 limit 1', [accountId]))
    .rows[0]!.id;

const personOf = async (role: string): Promise<string> =>
  (
    await rows.query<{ id: string }>(
      'select person_id as id from role_grant where account_id = $1 and role = $2 limit 1',
      [accountId, role],
    )
  ).rows[0]!.id;

test.each([
  ['in plain text', 'Winter-2026', 400],
  ['as a number', '20262026', 400],
  ['by another name', '*word', 400],
  ['by the mark of one that is kept', '${secret:opc:password}', 201],
])('a configuration with a password %s is kept only without it', async (_how, password, status) => {
  const id = await gatewayOf();
  const params = `{ endpointUrl: &word Winter-2026, password: ${password.startsWith('$') ? `"${password}"` : password} }`;
  const yaml = `version: 1\ngatewayId: ${id}\nconnections:\n  - id: opc\n    driver: opcua\n    params: ${params}\n`;
  const reply = await fetch(`${url}/api/gateways/${id}/configs`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ yaml }),
  });
  expect([reply.status, await reply.text()]).toEqual([status, expect.stringContaining('password')]);
});

test('no answer that is shown once stays in the database in plain text', async () => {
  const display = await post('/api/display-tokens', { name: 'Lobby', days: 30 });
  const claim = await post(`/api/gateways/${await gatewayOf()}/claim-codes`, {});
  const hook = await post('/api/webhooks', {
    ...{ name: 'Accounting', url: 'https://example.com/hook', kinds: ['fault.raised'] },
  });
  const rotated = await post(`/api/webhooks/${hook['id']}/rotate-secret`);
  const link = await post(`/api/people/${await personOf('technician')}/password-link`);
  const enrolment = await post('/api/me/second-factors/totp', { name: 'Phone' });
  const code = new TOTP({ secret: Secret.fromBase32(enrolment['secret']!) }).generate();
  const { recoveryCodes } = await post(`/api/me/second-factors/totp/${enrolment['id']}/confirm`, { code });
  const renewed = await post('/api/me/recovery-codes');
  const secrets = [
    ...[display['token'], claim['code'], hook['secret'], rotated['secret'], link['token']],
    ...[enrolment['secret'], recoveryCodes[0], renewed.codes[0]],
  ];
  expect(secrets.every((one) => one !== undefined && one.length > 10)).toBe(true);

  const kept = await rows.query<{ body: string | null }>(
    'select body from idempotency_key where account_id = $1 and done_at is not null',
    [accountId],
  );
  expect(kept.rows).toHaveLength(secrets.length);
  const found = secrets.filter((secret) => kept.rows.some(({ body }) => body?.includes(secret!)));
  expect(found).toEqual([]);
});
