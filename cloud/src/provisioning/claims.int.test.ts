import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ClaimChallenge,
  type ClaimReply,
  claimText,
  type GatewayIdentityView,
  type NewClaimCode,
  readClaimCode,
} from '@parkline/contract';
import { sql } from 'kysely';
import pino from 'pino';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { givenFleet, smallPark } from '../fleet/testing.ts';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { systemWait } from '../platform/clock.ts';
import { createDb } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { claimRoutes } from './claim-routes.ts';
import { codeRoutes } from './code-routes.ts';
import { gatewayRoutes } from './gateway-routes.ts';
import { issueDue, pushRevoked, revokeHeld } from './run-provisioner.ts';
import { makeKeys, type TestKeys, wordySigner } from './testing.ts';

const { owner, app: db, pool } = await clonedDatabase();
let skipped = 0;
const now = () => new Date(Date.now() + skipped);
const signer = wordySigner();
const provisioner = {
  db: createDb(pool('parkline_provisioner')),
  signer,
  now,
  log: pino({ enabled: false }),
};
const http = await createTestApp(db);
const deps = { db, now, newId, wait: systemWait, gatewayNatsUrl: 'tls://hub:4222' };
await http.register(claimRoutes(deps));
await http.register(codeRoutes(deps));
await http.register(gatewayRoutes(deps));

let accountId: string;
let gatewayId: string;
let admin: Record<string, string>;
let addresses = 0;

beforeAll(async () => {
  accountId = await givenAccount(owner);
  admin = { ...(await loggedIn(owner, accountId, ['account_admin'])) };
  await owner.insertInto('cloudKey').values({ publicKey: 'the key of the cloud', at: new Date() }).execute();
});
beforeEach(async () => {
  addresses += 1;
  const [gateway] = await givenFleet(owner, accountId, smallPark);
  gatewayId = gateway!.id;
});

const post = (url: string, payload: object, headers: Record<string, string> = {}) =>
  http.inject({ method: 'POST', url, payload, headers, remoteAddress: `10.0.${addresses}.1` });
const newCode = async (hours?: number): Promise<NewClaimCode> => {
  const reply = await post(`/api/gateways/${gatewayId}/claim-codes`, hours ? { hours } : {}, admin);
  expect(reply.statusCode, reply.body).toBe(201);
  return reply.json();
};
const begin = (code: string, site?: string) => post('/api/claims', { code, ...(site && { site }) });

async function complete(code: string, keys: TestKeys, change: object = {}, site?: string) {
  const begun = await begin(code, site);
  if (begun.statusCode !== 201) return begun;
  const { challenge } = begun.json<ClaimChallenge>();
  const proofs = keys.proofs(claimText(readClaimCode(code) ?? '', challenge, keys.publicKeys));
  return post('/api/claims/complete', { code, challenge, keys: keys.publicKeys, proofs, ...change });
}
/** With the signer at work meanwhile. */
async function signed<Reply>(asking: Promise<Reply>): Promise<Reply> {
  let isOver = false;
  void asking.finally(() => (isOver = true));
  while (!isOver) {
    await issueDue(provisioner);
    await sleep(20);
  }
  return asking;
}
async function claimed(code: string, keys: TestKeys): Promise<ClaimReply> {
  const reply = await signed(complete(code, keys));
  expect(reply.statusCode, reply.body).toBe(200);
  return reply.json();
}
const view = async () =>
  (await http.inject({ url: `/api/gateways/${gatewayId}`, headers: admin })).json<GatewayIdentityView>();
const newestCode = () =>
  owner.selectFrom('claimCode').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst();
const whyOf = (reply: { statusCode: number; json: () => unknown }) => [
  reply.statusCode,
  (reply.json() as { details?: { why?: string } }).details?.why,
];
const actions = async () =>
  (
    await owner
      .selectFrom('auditEvent')
      .select('action')
      .where('accountId', '=', accountId)
      .orderBy('seq')
      .execute()
  ).map(({ action }) => action);

test('a gateway that proves its keys is let in, and its data believed', async () => {
  const { code } = await newCode();
  expect(code).toMatch(/^([0-9A-Z]{4}-){4}[0-9A-Z]{4}$/);
  const keys = makeKeys();
  const reply = await claimed(` ${code.toLowerCase().replaceAll('-', ' ')} `, keys);
  expect(reply).toMatchObject({
    ...{ gatewayId, natsUrl: 'tls://hub:4222', cloudKey: 'the key of the cloud', timezone: 'Asia/Shanghai' },
    credentials: { jwt: expect.stringContaining(keys.publicKeys.nkey), ca: 'ca' },
  });
  expect(reply.config).toContain(gatewayId);
  const gateway = await owner
    .selectFrom('gateway')
    .select(['publicKey', 'claimedAt'])
    .where('id', '=', gatewayId)
    .executeTakeFirstOrThrow();
  expect(gateway.publicKey).toBe(keys.publicKeys.signing);
  expect(gateway.claimedAt).not.toBeNull();
  const stored = await owner.selectFrom('claimCode').select('codeHash').execute();
  expect(JSON.stringify(stored)).not.toContain(readClaimCode(code));
  expect(await actions()).toEqual(expect.arrayContaining(['gateway.code_made', 'gateway.claimed']));
});

test('the code that is shown with a claim is the one it was made with, whatever was made after it', async () => {
  const { code, createdAt } = await newCode();
  skipped += 60_000;
  await newCode();
  await claimed(code, makeKeys());
  expect((await view()).steps.codeMadeAt).toBe(createdAt);
  skipped = 0;
});

test('an answer that was lost is given again to the same keys, within the life of the code', async () => {
  const { code } = await newCode(1);
  const keys = makeKeys();
  const first = await claimed(code, keys);
  expect(await claimed(code, keys)).toEqual(first);
  skipped += 3_700_000;
  expect(whyOf(await complete(code, keys))).toEqual([403, 'expired']);
  skipped = 0;
});

test('of twenty that race with one code exactly one wins', async () => {
  const { code } = await newCode();
  const racers = Array.from({ length: 20 }, () => makeKeys());
  const replies = await signed(Promise.all(racers.map((keys) => complete(code, keys))));
  expect(replies.filter(({ statusCode }) => statusCode === 200)).toHaveLength(1);
  const { id } = (await newestCode())!;
  const stored = await owner
    .selectFrom('gatewayCredential')
    .select('nkey')
    .where('codeId', '=', id)
    .execute();
  expect(stored).toHaveLength(1);
  const winner = replies.find(({ statusCode }) => statusCode === 200)!.json<ClaimReply>();
  expect(winner.credentials).not.toBeNull();
});

describe('a claim is refused', () => {
  test('when another key comes with a used code, and that is told', async () => {
    const { code } = await newCode();
    await claimed(code, makeKeys());
    expect(whyOf(await complete(code, makeKeys()))).toEqual([403, 'used']);
    const listed = (
      await http.inject({ url: `/api/gateways/${gatewayId}/claim-codes`, headers: admin })
    ).json<{ items: { state: string; reusedAt: string | null }[] }>();
    expect(listed.items[0]).toMatchObject({ state: 'used', reusedAt: expect.any(String) });
    expect(JSON.stringify(listed)).not.toContain(code);
    const noted = await owner
      .selectFrom('auditEvent')
      .select(['action', 'result', 'reason'])
      .where('accountId', '=', accountId)
      .orderBy('seq', 'desc')
      .executeTakeFirst();
    expect(noted).toEqual({ action: 'gateway.claim_reused', result: 'refused', reason: 'used' });
  });

  test('with a code that is mistyped, unknown, over or taken back', async () => {
    expect(whyOf(await begin('0000-0000-0000-0000-0001'))).toEqual([403, 'unknown_code']);
    expect(whyOf(await begin('what?'))).toEqual([403, 'unknown_code']);
    const { code, id } = await newCode(2);
    skipped += 7_300_000;
    expect(whyOf(await begin(code))).toEqual([403, 'expired']);
    skipped = 0;
    const url = `/api/gateways/${gatewayId}/claim-codes/${id}`;
    expect((await http.inject({ method: 'DELETE', url, headers: admin })).statusCode).toBe(204);
    expect(whyOf(await begin(code))).toEqual([403, 'revoked']);
  });

  test('for another site than the gateway was mapped for, before the code is used up', async () => {
    const { code } = await newCode();
    expect(whyOf(await begin(code, 'elsewhere'))).toEqual([403, 'other_site']);
    const keys = makeKeys();
    expect(whyOf(await complete(code, keys, { site: 'elsewhere' }))).toEqual([403, 'other_site']);
    expect((await claimed(code, keys)).site.key).toBe('harbour');
  });

  test('when any of the three keys did not sign, or signed something else', async () => {
    const { code } = await newCode();
    const [keys, stranger] = [makeKeys(), makeKeys()];
    const proofs = stranger.proofs('something else');
    expect(whyOf(await complete(code, keys, { proofs }))).toEqual([403, 'signature']);
    const swapped = { keys: { ...keys.publicKeys, tls: stranger.publicKeys.tls } };
    expect(whyOf(await complete(code, keys, swapped))).toEqual([403, 'signature']);
    expect(whyOf(await complete(code, keys, { challenge: 'A'.repeat(43) }))).toEqual([403, 'challenge']);
    await claimed(code, keys);
  });

  test('when its signature is sent a second time', async () => {
    const { code } = await newCode();
    const keys = makeKeys();
    const { challenge } = (await begin(code)).json<ClaimChallenge>();
    const proofs = keys.proofs(claimText(readClaimCode(code) ?? '', challenge, keys.publicKeys));
    const body = { code, challenge, keys: keys.publicKeys, proofs };
    const first = post('/api/claims/complete', body);
    await sleep(50);
    await issueDue(provisioner);
    expect((await first).statusCode).toBe(200);
    expect(whyOf(await post('/api/claims/complete', body))).toEqual([403, 'challenge']);
  });

  test('when the keys are those of another gateway', async () => {
    const keys = makeKeys();
    await claimed((await newCode()).code, keys);
    expect(whyOf(await complete((await newCode()).code, keys))).toEqual([403, 'key_in_use']);
  });

  test('when one address or one code fails too often', async () => {
    const { code } = await newCode();
    const keys = makeKeys();
    for (let failure = 0; failure < 5; failure += 1)
      expect((await complete(code, keys, { proofs: makeKeys().proofs('') })).statusCode).toBe(403);
    const sixth = await begin(code);
    expect(sixth.statusCode).toBe(429);
    expect(Number(sixth.headers['retry-after'])).toBeGreaterThan(0);
    for (let failure = 0; failure < 100; failure += 1) await begin('0000-0000-0000-0000-0001');
    expect((await begin('0000-0000-0000-0000-0001')).statusCode).toBe(429);
  });
});

test('who is thrown out is on the list at once, and may come back under the same id with a new code', async () => {
  const keys = makeKeys();
  await claimed((await newCode()).code, keys);
  const { name, credentials } = await view();
  expect(credentials).toMatchObject({ renewAt: expect.any(String), failure: null });
  const url = `/api/gateways/${gatewayId}/revoke`;
  expect((await post(url, { name: 'another' }, admin)).statusCode).toBe(400);
  expect((await post(url, { name: name.en }, admin)).json()).toMatchObject({ revokedAt: expect.any(String) });
  const before = signer.told.length;
  await pushRevoked(provisioner);
  expect(signer.told.length).toBe(before + 1);
  expect([...signer.told.at(-1)!.keys()]).toContain(keys.publicKeys.nkey);
  await pushRevoked(provisioner);
  expect(signer.told.length).toBe(before + 1);

  const again = makeKeys();
  expect((await claimed((await newCode()).code, again)).gatewayId).toBe(gatewayId);
  const { publicKey, revokedAt } = await owner
    .selectFrom('gateway')
    .select(['publicKey', 'revokedAt'])
    .where('id', '=', gatewayId)
    .executeTakeFirstOrThrow();
  expect([publicKey, revokedAt]).toEqual([again.publicKeys.signing, null]);
});

test('who is thrown out stays out when the database is restored to before that', async () => {
  const keys = makeKeys();
  await owner
    .updateTable('gatewayCredential')
    .set({ revokedAt: now() })
    .where('gatewayId', '=', gatewayId)
    .execute();
  await claimed((await newCode()).code, keys);
  const look = async () => {
    const { rows } = await sql<{ revoked: boolean; believed: boolean; void: boolean; deeds: number }>`
      select g.revoked_at is not null as revoked, g.public_key is not null as believed, c.revoked_at is not null as void,
        (select count(*)::int from audit_event a where a.subject_id = g.id and a.action = 'gateway.revoked'
          and a.content -> 'details' ->> 'why' = 'held_by_message_server') as deeds
      from gateway g join gateway_credential c on c.gateway_id = g.id
      where c.nkey = ${keys.publicKeys.nkey}`.execute(owner);
    return rows[0];
  };
  expect(await look()).toMatchObject({ revoked: false, believed: true, void: false });
  signer.told.push(new Map([[keys.publicKeys.nkey, now()]]));
  expect(await revokeHeld(provisioner)).toBe(1);
  expect(await look()).toEqual({ revoked: true, believed: false, void: true, deeds: 1 });
  expect(await revokeHeld(provisioner)).toBe(0);
});

test('a code lives a week at most', async () => {
  const reply = await post(`/api/gateways/${gatewayId}/claim-codes`, { hours: 169 }, admin);
  expect(reply.statusCode).toBe(400);
});

test('a gateway is added before it is there, renamed, and taken away while nothing hangs on it', async () => {
  const { buildingId } = await view();
  const installer = await loggedIn(owner, accountId, ['installer']);
  const body = { key: 'gw-new', name: { en: 'New', zh: '新' }, buildingId };
  const made = await post('/api/gateways', body, { ...installer });
  expect(made.statusCode, made.body).toBe(201);
  expect(made.json()).toMatchObject({ key: 'gw-new', credentials: null, steps: { claimedAt: null } });
  expect((await post('/api/gateways', body, { ...installer })).statusCode).toBe(409);
  const url = `/api/gateways/${made.json<{ id: string }>().id}`;
  const etag = String(made.headers['etag']);
  const change = (version: string, payload: object) =>
    http.inject({ method: 'PATCH', url, payload, headers: { ...installer, 'if-match': version } });
  expect((await change(etag, { key: 'gw-newer' })).json()).toMatchObject({ key: 'gw-newer' });
  expect((await change(etag, { key: 'gw-newest' })).statusCode).toBe(409);
  const remove = (version: string) =>
    http.inject({ method: 'DELETE', url, headers: { ...admin, 'if-match': version } });
  expect((await remove(etag)).statusCode).toBe(409);
  expect((await remove('"2"')).statusCode).toBe(204);
  expect((await http.inject({ url, headers: admin })).statusCode).toBe(404);
});
