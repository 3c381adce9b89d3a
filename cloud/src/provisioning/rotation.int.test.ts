import { generateKeyPairSync, sign } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GatewayAsk, type GatewayIdentityView, rotationText, type SignedText } from '@parkline/contract';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { status } from '../fleet/index.ts';
import { givenFleet } from '../fleet/testing.ts';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { systemWait } from '../platform/clock.ts';
import { createDb } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { createSecrets } from '../platform/secrets.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { answerCall } from './desk-calls.ts';
import { gatewayRoutes } from './gateway-routes.ts';
import { sendAsks } from './run-desk.ts';
import { issueDue } from './run-provisioner.ts';
import { makeKeys, type TestKeys, wordySigner } from './testing.ts';

const DAY_MS = 86_400_000;
const { owner, app: db, ingest, pool } = await clonedDatabase();
let clock = Date.now();
const now = () => new Date(clock);
const log = pino({ enabled: false });
const provisioner = { db: createDb(pool('parkline_provisioner')), signer: wordySigner(), now, log };
const cloud = generateKeyPairSync('ed25519');
const sent: GatewayAsk[] = [];
const desk = {
  ...{ pool: pool('parkline_ingest'), db: ingest, signingKey: cloud.privateKey, now, newId, log },
  wait: systemWait,
  nats: {
    publish: (_subject: string, text: unknown) =>
      void sent.push(JSON.parse((JSON.parse(String(text)) as SignedText).body) as GatewayAsk),
  },
  responder: { subscribe: () => expect.fail('nobody listens here') },
  secrets: createSecrets(undefined),
};
const http = await createTestApp(db);
await http.register(gatewayRoutes({ db, now, newId }));
afterAll(() => http.close());

let accountId: string;
let admin: Record<string, string>;
let [gatewayId, others] = ['', [] as string[]];
let keys: TestKeys;
beforeAll(async () => {
  accountId = await givenAccount(owner);
  admin = { ...(await loggedIn(owner, accountId, ['account_admin'])) };
});
beforeEach(async () => {
  sent.length = 0;
  await owner.deleteFrom('gatewayAsk').execute();
  const [one, ...more] = await givenFleet(owner, accountId);
  gatewayId = one!.id;
  others = more.map(({ id }) => id);
  keys = makeKeys();
  const { nkey, signing: signingKey, tls: tlsKey } = keys.publicKeys;
  const row = { id: newId(), accountId, gatewayId, nkey, signingKey, tlsKey, codeId: null, createdAt: now() };
  await owner.insertInto('gatewayCredential').values(row).execute();
  await owner
    .updateTable('gateway')
    .set({ publicKey: signingKey, nextPublicKey: null, revokedAt: null })
    .where('id', '=', gatewayId)
    .execute();
});

const heard = (id = gatewayId) => status.recordHeard(ingest, accountId, id, now());
async function ask(verb: 'rotate' | 'revoke' | '' = '', payload: object = {}): Promise<GatewayIdentityView> {
  const url = `/api/gateways/${gatewayId}${verb && `/${verb}`}`;
  const reply = await http.inject({
    ...{ url, headers: admin },
    ...(verb ? { method: 'POST', payload } : { method: 'GET' }),
  });
  expect(reply.statusCode, reply.body).toBe(200);
  return reply.json();
}
/** A call of the gateway, answered while the signer is at work. */
async function call(order: object, by: TestKeys): Promise<void> {
  const body = JSON.stringify({ gatewayId, at: clock, ...order });
  const sig = sign(null, Buffer.from(body), by.signing).toString('base64url');
  const data = Buffer.from(JSON.stringify({ body, sig }));
  let isOver = false;
  const asked = answerCall(desk, `rpc.${gatewayId}.gw`, data, new AbortController().signal);
  void asked.finally(() => (isOver = true));
  while (!isOver) {
    await issueDue(provisioner);
    await sleep(10);
  }
  const answer = await asked;
  expect(JSON.parse((JSON.parse(answer!) as SignedText).body)).toMatchObject({ ok: true });
}
const deeds = async () => {
  const rows = await owner
    .selectFrom('auditEvent')
    .select('action')
    .where('subjectId', '=', gatewayId)
    .where('action', 'like', 'gateway.%')
    .orderBy('seq')
    .execute();
  return rows.map(({ action }) => action);
};

test('a gateway that is away is asked once it is heard, weeks later, until it was heard with its new keys', async () => {
  await owner.deleteFrom('gatewayStatus').where('gatewayId', '=', gatewayId).execute();
  const asked = clock;
  const rotation = {
    askedAt: new Date(asked).toISOString(),
    until: new Date(asked + 30 * DAY_MS).toISOString(),
  };
  expect((await ask('rotate')).rotation).toEqual(rotation);
  clock += 3_600_000;
  expect((await ask('rotate')).rotation).toEqual(rotation); // Asked twice it is one wish.
  expect([await sendAsks(desk), sent]).toEqual([0, []]);

  clock += 28 * DAY_MS;
  expect((await ask()).rotation).toEqual(rotation);
  await heard();
  expect(await sendAsks(desk)).toBe(1);
  expect(sent).toMatchObject([{ gatewayId, what: 'rotate', at: clock, expiresAt: clock + 600_000 }]);

  const next = makeKeys();
  const proofs = next.proofs(rotationText(gatewayId, clock, next.publicKeys));
  await call({ what: 'rotate', keys: next.publicKeys, proofs }, keys);
  clock += 10_000; // It starts again with them now; had it not heard the answer, it would be asked again.
  await heard();
  expect([await sendAsks(desk), (await ask()).rotation]).toEqual([0, rotation]);
  clock += 60_000;
  await heard();
  expect(await sendAsks(desk)).toBe(1);
  await call({ what: 'hello', version: '1' }, next);
  expect((await ask()).rotation).toBeNull();
  clock += 60_000;
  await heard();
  expect(await sendAsks(desk)).toBe(0);
  expect(await deeds()).toEqual(['gateway.rotation_asked', 'gateway.keys_changed']);
});

test('keys that it was heard with stay in force when those after them are lost', async () => {
  const [second, third] = [makeKeys(), makeKeys()];
  for (const [by, made] of [
    [keys, second],
    [second, third],
  ] as const) {
    const proofs = made.proofs(rotationText(gatewayId, clock, made.publicKeys));
    await call({ what: 'rotate', keys: made.publicKeys, proofs }, by);
  }
  await call({ what: 'hello', version: '1' }, second);
});

test('what was not done in time ends, and the audit says so', async () => {
  await ask('rotate');
  clock += 30 * DAY_MS;
  expect((await ask()).rotation).toBeNull();
  await heard();
  expect([await sendAsks(desk), sent]).toEqual([0, []]);
  clock += 61_000;
  await sendAsks(desk);
  await sendAsks(desk);
  const ends = (await deeds()).filter((action) => action === 'gateway.rotation_expired');
  expect(ends).toHaveLength(1);
});

test('one that is thrown out is asked nothing any more, and comes back without it', async () => {
  await heard();
  await ask('rotate');
  expect((await ask('revoke', { name: 'Gateway A' })).rotation).toBeNull();
  await owner.updateTable('gateway').set({ revokedAt: null }).where('id', '=', gatewayId).execute();
  expect([await sendAsks(desk), (await ask()).rotation]).toEqual([0, null]);
});

test('those that are away keep nobody waiting', async () => {
  const at = { accountId, askedAt: now(), askedBy: null, expiresAt: new Date(clock + DAY_MS) };
  const rotate = { ...at, gatewayId: others[0]!, what: 'rotate' as const, lines: null };
  const away = Array.from({ length: 20 }, () => ({ ...rotate, id: newId() }));
  const logs = { ...at, id: newId(), gatewayId, what: 'logs' as const, lines: 5 };
  await owner.deleteFrom('gatewayStatus').where('gatewayId', '=', others[0]!).execute();
  await owner
    .insertInto('gatewayAsk')
    .values([...away, logs])
    .execute();
  await heard();
  expect(await sendAsks(desk)).toBe(1);
  expect(sent).toMatchObject([{ what: 'logs' }]);
});
