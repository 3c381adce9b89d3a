import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ConfigOffer,
  type DeskAnswer,
  type GatewayCall,
  type MappedDevice,
  rotationText,
  type SignedText,
} from '@parkline/contract';
import pino from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { gatewayState, gateways, status } from '../fleet/index.ts';
import { givenFleet } from '../fleet/testing.ts';
import { givenAccount } from '../identity/testing.ts';
import { systemWait } from '../platform/clock.ts';
import { createDb, withAccount, withActor } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { createSecrets } from '../platform/secrets.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { configs } from './config-repository.ts';
import { saveConfigResults } from './config-results.ts';
import { answerCall } from './desk-calls.ts';
import { takeOver } from './mapping.ts';
import { textHash } from './present.ts';
import { sendConfigs } from './run-desk.ts';
import { issueDue, pushRevoked } from './run-provisioner.ts';
import { makeKeys, type TestKeys, wordySigner } from './testing.ts';

const database = await clonedDatabase();
const { owner, ingest } = database;
let clock = Date.parse('2026-11-23T00:00:00Z');
const now = () => new Date(clock);
const log = pino({ enabled: false });
const signer = wordySigner();
const provisioner = { db: createDb(database.pool('parkline_provisioner')), signer, now, log };
const cloud = generateKeyPairSync('ed25519');
const published: [subject: string, text: string][] = [];
const deps = {
  ...{ pool: database.pool('parkline_ingest'), db: ingest, signingKey: cloud.privateKey, now, newId, log },
  wait: systemWait,
  nats: { publish: (subject: string, text: unknown) => void published.push([subject, String(text)]) },
  responder: { subscribe: () => expect.fail('nobody listens here') },
  secrets: createSecrets(undefined),
};
const signal = new AbortController().signal;

const accountId = await givenAccount(owner);
let gatewayId: string;
let keys: TestKeys;
beforeEach(async () => {
  clock += 3_600_000;
  const [gateway] = await givenFleet(owner, accountId);
  gatewayId = gateway!.id;
  keys = makeKeys();
  await owner
    .updateTable('gateway')
    .set({ publicKey: keys.publicKeys.signing, nextPublicKey: null, revokedAt: null })
    .where('id', '=', gatewayId)
    .execute();
  await addCredential(keys);
});

async function addCredential({ publicKeys: { nkey, signing, tls } }: TestKeys): Promise<void> {
  const row = { id: newId(), accountId, gatewayId, nkey, signingKey: signing, tlsKey: tls, createdAt: now() };
  await owner
    .insertInto('gatewayCredential')
    .values({ ...row, codeId: null })
    .execute();
  await issueDue(provisioner);
}

type Order = GatewayCall extends infer C
  ? C extends GatewayCall
    ? Omit<C, 'gatewayId' | 'at'>
    : never
  : never;
async function call(order: Order, by = keys, at = clock): Promise<DeskAnswer | undefined> {
  const body = JSON.stringify({ gatewayId, at, ...order });
  const sig = sign(null, Buffer.from(body), by.signing).toString('base64url');
  const asked = answerCall(deps, `rpc.${gatewayId}.gw`, Buffer.from(JSON.stringify({ body, sig })), signal);
  let isOver = false;
  void asked.finally(() => (isOver = true));
  while (!isOver) {
    await issueDue(provisioner);
    await sleep(20);
  }
  const answer = await asked;
  if (answer === undefined) return undefined;
  const signed = JSON.parse(answer) as SignedText;
  expect(verify(null, Buffer.from(signed.body), cloud.publicKey, Buffer.from(signed.sig, 'base64url'))).toBe(
    true,
  );
  return JSON.parse(signed.body) as DeskAnswer;
}
const hello = { what: 'hello', version: '1' } as const;
const stateAt = async () => {
  const rows = await withAccount(owner, accountId, (trx) => gateways.list(trx, accountId));
  return gatewayState(
    rows.find(({ id }) => id === gatewayId)!,
    now(),
  );
};

describe('a call', () => {
  test('of the gateway itself is answered, signed, to this call alone', async () => {
    expect(await call(hello)).toEqual({ gatewayId, to: clock, ok: true, why: '' });
  });
  test('of a stranger, of one that was thrown out, or an old one is not', async () => {
    expect(await call(hello, makeKeys())).toBeUndefined();
    expect(await call(hello, keys, clock - 180_000)).toMatchObject({ ok: false });
    await owner.updateTable('gateway').set({ revokedAt: now() }).where('id', '=', gatewayId).execute();
    expect(await call(hello)).toBeUndefined();
  });
});

test('credentials are signed anew for the same keys', async () => {
  clock += 60_000;
  const answer = await call({ what: 'renew' });
  expect(answer?.credentials?.jwt).toBe(`jwt of ${keys.publicKeys.nkey} at ${clock}`);
});

test('new keys count beside the old ones until the gateway is heard with them', async () => {
  const next = makeKeys();
  const proofs = next.proofs(rotationText(gatewayId, clock, next.publicKeys));
  const order = { what: 'rotate', keys: next.publicKeys, proofs } as const;
  expect(await call({ ...order, proofs: makeKeys().proofs('') })).toMatchObject({ ok: false });
  expect((await call(order))?.credentials?.jwt).toContain(next.publicKeys.nkey);
  expect(await call(hello)).toMatchObject({ ok: true });
  expect(await call(hello, next)).toMatchObject({ ok: true });
  expect(await call(hello)).toBeUndefined();
  await pushRevoked(provisioner);
  expect([...signer.told.at(-1)!.keys()]).toContain(keys.publicKeys.nkey);
  expect([...signer.told.at(-1)!.keys()]).not.toContain(next.publicKeys.nkey);
});

test('a configuration waits for its gateway, goes again when it comes back, and ends as the gateway says', async () => {
  const yaml = `version: 1\ngatewayId: ${gatewayId}\n`;
  await owner
    .insertInto('gatewayConfig')
    .values({
      ...{ id: newId(), accountId, gatewayId, n: 1, yaml, source: 'file', createdAt: now(), createdBy: null },
      state: 'waiting',
    })
    .execute();
  await owner.deleteFrom('gatewayStatus').where('gatewayId', '=', gatewayId).execute();
  published.length = 0;
  expect(await sendConfigs(deps)).toBe(0);
  await status.recordHeard(ingest, accountId, gatewayId, now());
  expect(await sendConfigs(deps)).toBe(1);
  await call(hello);
  clock += 1_000;
  expect(await sendConfigs(deps)).toBe(1);
  const offers = published.map(
    ([, text]) => JSON.parse((JSON.parse(text) as SignedText).body) as ConfigOffer,
  );
  expect(offers.map((offer) => [offer.yaml, offer.gatewayId])).toEqual([
    [yaml, gatewayId],
    [yaml, gatewayId],
  ]);
  expect(offers[1]!.at).toBeGreaterThan(offers[0]!.at);
  const client = await database.pool('parkline_ingest').connect();
  const tell = (state: 'applied' | 'rolled-back', why = '') =>
    saveConfigResults(client, gatewayId, [
      { type: 'config', id: newId(), at: clock, hash: textHash(yaml), state, why },
    ]);
  await tell('applied');
  await tell('rolled-back', 'two devices fell silent');
  await tell('applied'); // Comes late: what is over stays over.
  client.release();
  const [last] = await withAccount(owner, accountId, (trx) => configs.list(trx, accountId, gatewayId));
  expect(last).toMatchObject({ state: 'rolled-back', why: 'two devices fell silent' });
});

test('on line is one truth: data or health, wrong for less than a minute', async () => {
  await owner.deleteFrom('gatewayStatus').where('gatewayId', '=', gatewayId).execute();
  expect(await stateAt()).toBe('never');
  const outbox = { pending: 0, oldestAt: null, bytes: 0, maxBytes: 1 };
  const health = { gatewayId, at: clock, startedAt: clock, version: '1', outbox, devices: [] };
  await status.recordHealth(ingest, accountId, health, now());
  expect(await stateAt()).toBe('online');
  for (let second = 0; second < 120; second += 10) {
    clock += 10_000; // No health any more, and data all the while.
    await status.recordHeard(ingest, accountId, gatewayId, now());
    expect(await stateAt()).toBe('online');
  }
  const lostAt = clock;
  while ((await stateAt()) === 'online') clock += 1_000;
  expect([await stateAt(), clock - lostAt <= 60_000]).toEqual(['offline', true]);
  await owner.updateTable('gateway').set({ revokedAt: now() }).where('id', '=', gatewayId).execute();
  expect(await stateAt()).toBe('revoked');
});

describe('taking over what was mapped, for who acts in the building of the gateway alone', () => {
  const point = (over: object = {}) => ({
    ...{ id: newId(), key: 'flow', address: '40001', kind: 'gauge', unit: 'l/s', resolution: 0.1 },
    ...{ scale: 1, deadband: 0, pollMs: 1_000, heartbeatMs: 60_000, ...over },
  });
  const take = async (device: { id: string; name: string; points: ReturnType<typeof point>[] }) => {
    const at = owner.selectFrom('gateway').select('buildingId').where('id', '=', gatewayId);
    const { buildingId } = await at.executeTakeFirstOrThrow();
    const mapped = { bus: 'x', protocol: 'modbus', params: {}, ...device } as MappedDevice;
    const park = { buses: [], devices: [mapped] };
    const order = { accountId, gatewayId, buildingId, park, at: now(), newId };
    return withActor(database.app, { accountId, tenantId: null, buildings: [buildingId] }, (trx) =>
      takeOver(trx, order),
    );
  };
  const far = () =>
    owner
      .selectFrom('equipment')
      .innerJoin('point', 'point.equipmentId', 'equipment.id')
      .select(['equipment.id as id', 'point.id as pointId'])
      .where('equipment.accountId', '=', accountId)
      .where('equipment.key', '=', 'b-water')
      .executeTakeFirstOrThrow();

  test('makes its devices, and names the one that is in another building', async () => {
    expect(await take({ id: newId(), name: 'Pump', points: [point()] })).toBe(1);
    const { id, pointId } = await far();
    await expect(take({ id, name: 'Water 7', points: [point()] })).rejects.toMatchObject({
      code: 'conflict',
      details: {
        why: { en: 'Water 7: the device is in another building', zh: 'Water 7：该设备在其他楼宇' },
        ...{ id, name: 'Water 7' },
      },
    });
    const borrowed = { id: newId(), name: 'Fan', points: [point(), point({ id: pointId, key: 'speed' })] };
    await expect(take(borrowed)).rejects.toMatchObject({
      code: 'conflict',
      details: { why: { en: 'Fan: point speed is of a device in another building' } },
    });
    const made = await owner.selectFrom('equipment').select('id').where('id', '=', borrowed.id).execute();
    expect(made).toEqual([]); // All of a mapping or nothing.
  });
});
