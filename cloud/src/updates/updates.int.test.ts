import { createHash, generateKeyPairSync, randomBytes, randomUUID, verify } from 'node:crypto';
import { type GatewayUpdate, SignedText, type UpdateEvent, UpdateOffer } from '@parkline/contract';
import pino from 'pino';
import { Value } from 'typebox/value';
import { beforeEach, expect, test } from 'vitest';
import { givenFleet } from '../fleet/testing.ts';
import { auditTrail } from '../identity/index.ts';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { chunkFor, sendOffers } from './desk.ts';
import { saveUpdateResults } from './results.ts';
import { updateRoutes } from './routes.ts';
import { shareOf } from './share.ts';
import { givenReleaseFile } from './testing.ts';

const { app: db, owner, ingest, pool } = await clonedDatabase();
const [ours, theirs] = [await givenAccount(owner), await givenAccount(owner)];
await givenFleet(owner, ours);
await givenFleet(owner, theirs);
const [makers, strangers, cloud] = [newKeys(), newKeys(), newKeys()];
let now = new Date('2026-11-22T10:00:00Z');
const later = (ms: number) => (now = new Date(now.getTime() + ms));
const app = await createTestApp(db);
await app.register(updateRoutes({ db, now: () => now, newId, releaseKeys: [makers.publicKey] }));
const ada = await loggedIn(owner, ours, ['account_admin']);
const pack = randomBytes(300_000);

const { rows: gatewayRows } = await pool().query<{ id: string; account: string }>(
  `update gateway set public_key = 'x' returning id, account_id as account`,
);
const gatewaysOf = (account: string) =>
  gatewayRows.filter((row) => row.account === account).map(({ id }) => id);
const [gatewayA, gatewayB] = gatewaysOf(ours) as [string, string];

const sent: { subject: string; offer: UpdateOffer }[] = [];
const desk = {
  ...{ db: ingest, now: () => now, signingKey: cloud.privateKey, log: pino({ enabled: false }) },
  commands: {
    publish(subject: string, payload?: unknown) {
      const { body, sig } = Value.Parse(SignedText, JSON.parse(String(payload)));
      expect(verify(null, Buffer.from(body), cloud.publicKey, Buffer.from(sig, 'base64url'))).toBe(true);
      sent.push({ subject, offer: Value.Parse(UpdateOffer, JSON.parse(body)) });
    },
  },
};

beforeEach(async () => {
  sent.length = 0;
  later(3_600_000);
  await hear(gatewayRows.map(({ id }) => id));
  await pool().query(
    `update gateway_update set state = 'overtaken' where state not in ('kept', 'rolled_back')`,
  );
});

function newKeys() {
  return generateKeyPairSync('ed25519');
}

async function hear(ids: readonly string[]): Promise<void> {
  await pool().query(
    `insert into gateway_status (gateway_id, account_id, heard_at) select id, account_id, $1 from gateway
     where id = any ($2) on conflict (gateway_id) do update set heard_at = $1`,
    [now, ids],
  );
}

async function upload(file: Buffer) {
  const headers = { ...ada, 'content-type': 'application/octet-stream' };
  const reply = await app.inject({ method: 'POST', url: '/api/releases', headers, payload: file });
  return { status: reply.statusCode, body: reply.json() };
}
async function call(method: 'GET' | 'POST', url: string, payload?: object, who = ada) {
  const reply = await app.inject({ method, url, headers: who, ...(payload && { payload }) });
  return { status: reply.statusCode, body: reply.json() };
}
const given = async (version: string): Promise<string> =>
  (await upload(givenReleaseFile(makers.privateKey, version, pack))).body.id as string;
const rollOut = async (body: object) => (await call('POST', '/api/rollouts', body)).body;
const latest = async (id: string): Promise<GatewayUpdate> =>
  (await call('GET', `/api/gateways/${id}/update`)).body.update;
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

async function tell(gatewayId: string, release: string, state: UpdateEvent['state'], why = '') {
  const client = await pool('parkline_ingest').connect();
  const event: UpdateEvent = { type: 'update', id: randomUUID(), at: 1, release, version: '1', state, why };
  try {
    await saveUpdateResults(client, gatewayId, [event]);
  } finally {
    client.release();
  }
}

test('a release comes in once, whole and signed by the right key, and is written into the audit', async () => {
  const file = givenReleaseFile(makers.privateKey, '1.1.0', pack);
  const first = await upload(file);
  expect(first).toMatchObject({ status: 201, body: { version: '1.1.0', packBytes: 300_000 } });
  expect((await upload(file)).body.id).toBe(first.body.id);
  const spoilt = Buffer.from(file).fill(7, file.length - 1);
  for (const [bytes, why] of [
    [Buffer.from('not a release'), 'no_release'],
    [file.subarray(0, -1), 'pack'],
    [spoilt, 'pack'],
    [givenReleaseFile(strangers.privateKey, '1.1.0', pack), 'signature'],
  ] as const)
    expect(await upload(bytes)).toMatchObject({ status: 400, body: { details: { why } } });
  const { items } = (await call('GET', '/api/releases')).body;
  expect(items.filter(({ version }: { version: string }) => version === '1.1.0')).toHaveLength(1);
  const trail = await withAccount(db, ours, (trx) => auditTrail.page(trx, { limit: 10 }));
  expect(trail.map(({ action }) => action)).toEqual(['release.uploaded']);
});

test('a gateway that is there is offered it, signed, fetches its chunks, and says what became of it', async () => {
  const releaseId = await given('1.2.0');
  await rollOut({ releaseId, gatewayIds: [gatewayA] });
  expect(await sendOffers(desk)).toBe(1);
  const [{ subject, offer } = sent[0]!] = sent;
  expect(subject).toBe(`cmd.${gatewayA}.upd`);
  expect(offer).toMatchObject({ gatewayId: gatewayA, at: now.getTime() });

  const query = (chunk: number) =>
    Buffer.from(JSON.stringify({ pack: createHash('sha256').update(pack).digest('hex'), chunk }));
  const got = [await chunkFor(desk, gatewayA, query(0)), await chunkFor(desk, gatewayA, query(1))];
  expect(Buffer.concat(got).equals(pack)).toBe(true);
  expect(await latest(gatewayA)).toMatchObject({ state: 'sent', sent: 1 });
  // Nothing for whom it was not offered, past the end, or for a stranger.
  for (const [id, chunk] of [
    [gatewayB, 0],
    [gatewayA, 2],
    ['nobody', 0],
  ] as const)
    expect(await chunkFor(desk, id, query(chunk))).toHaveLength(0);

  const release = hashOf(offer.release!.body);
  await tell(gatewayB, release, 'kept');
  await tell(gatewayA, hashOf('another'), 'refused');
  expect(await latest(gatewayA)).toMatchObject({ state: 'sent' });
  await tell(gatewayA, release, 'applied');
  expect(await latest(gatewayA)).toMatchObject({ state: 'applied', version: '1.2.0' });
  await tell(gatewayA, release, 'rolled-back', 'the cloud was reached before and is not');
  await tell(gatewayA, release, 'refused', 'a late word');
  expect(await latest(gatewayA)).toMatchObject({
    ...{ state: 'rolled_back', why: 'the cloud was reached before and is not' },
  });
});

test('a gateway that is away waits; one that says nothing for a minute is offered it again', async () => {
  const releaseId = await given('1.3.0');
  later(10 * 60_000);
  await rollOut({ releaseId, gatewayIds: [gatewayB] });
  expect(await sendOffers(desk)).toBe(0);
  await hear([gatewayB]);
  expect(await sendOffers(desk)).toBe(1);
  expect(await sendOffers(desk)).toBe(0);
  later(61_000);
  await hear([gatewayB]);
  expect(await sendOffers(desk)).toBe(1);
  expect(sent[1]!.offer.at).toBeGreaterThan(sent[0]!.offer.at);
});

test('a stopped rollout takes back what was offered and sends nothing more', async () => {
  const releaseId = await given('1.4.0');
  const { id } = await rollOut({ releaseId, gatewayIds: [gatewayA] });
  await sendOffers(desk);
  expect((await call('POST', `/api/rollouts/${id}/stop`)).body).toMatchObject({ state: 'stopped' });
  expect(await sendOffers(desk)).toBe(1);
  expect(sent.at(-1)!.offer.release).toBeNull();
  expect(await latest(gatewayA)).toMatchObject({ state: 'stopped' });
  // It had begun already: what the gateway says is what is true.
  await tell(gatewayA, hashOf(sent[0]!.offer.release!.body), 'kept');
  expect(await latest(gatewayA)).toMatchObject({ state: 'kept' });
});

test('a later rollout overtakes what is still open, and nothing reaches into another account', async () => {
  const [first, second] = [await given('1.5.0'), await given('1.6.0')];
  const { id } = await rollOut({ releaseId: first, gatewayIds: [gatewayA] });
  await rollOut({ releaseId: second, share: 1 });
  const { items } = (await call('GET', '/api/rollouts')).body;
  const old = items.find((one: { id: string }) => one.id === id);
  expect(old.gateways).toMatchObject([{ gatewayId: gatewayA, state: 'overtaken' }]);
  expect(items[0].gateways).toHaveLength(2);

  const [foreign] = gatewaysOf(theirs);
  const eve = await loggedIn(owner, theirs, ['account_admin']);
  expect((await call('POST', '/api/rollouts', { releaseId: second, gatewayIds: [foreign] })).status).toBe(
    404,
  );
  expect((await call('POST', '/api/rollouts', { releaseId: second, share: 1 }, eve)).status).toBe(404);
  expect((await call('POST', `/api/rollouts/${id}/stop`, undefined, eve)).status).toBe(404);
  expect((await call('GET', `/api/gateways/${gatewayA}/update`, undefined, eve)).status).toBe(404);
  expect((await call('GET', '/api/releases', undefined, eve)).body.items).toEqual([]);
  expect((await call('POST', '/api/rollouts', { releaseId: second })).status).toBe(400);
});

test('a share is at least one, grows by adding, and differs from release to release', () => {
  const ids = Array.from({ length: 100 }, () => randomUUID());
  const [r1, r2] = [randomUUID(), randomUUID()];
  expect(shareOf(r1, ids, 0.001)).toHaveLength(1);
  expect(shareOf(r1, ids, 0.1)).toHaveLength(10);
  expect(shareOf(r1, ids, 0.5).slice(0, 10)).toEqual(shareOf(r1, ids, 0.1));
  expect(shareOf(r1, [...ids].reverse(), 0.1)).toEqual(shareOf(r1, ids, 0.1));
  expect(shareOf(r2, ids, 0.1)).not.toEqual(shareOf(r1, ids, 0.1));
});
