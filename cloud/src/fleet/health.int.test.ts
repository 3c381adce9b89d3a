import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { GatewayHealth } from '@parkline/contract';
import { subjects } from '@parkline/contract';
import { createUser } from '@nats-io/nkeys';
import { connect, jwtAuthenticator } from '@nats-io/transport-node';
import pino from 'pino';
import { beforeEach, expect, test, vi } from 'vitest';
import { byCreds, startNats } from '../../../tests/support/nats.ts';
import { givenAccount } from '../identity/testing.ts';
import { withAccount } from '../platform/db.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { receiveHealth, runHealth } from './health.ts';
import { gateways } from './repository.ts';
import { status } from './status.ts';
import { givenFleet } from './testing.ts';

const { owner, ingest: db } = await clonedDatabase();
const accountId = await givenAccount(owner);
const [a, b] = await givenFleet(owner, accountId);
if (!a || !b) throw new Error('the park has two gateways');
const keys = generateKeyPairSync('ed25519');
const pem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
await withAccount(owner, accountId, (trx) => gateways.trust(trx, accountId, a.id, pem));
const devices = await owner.selectFrom('equipment').select(['id', 'gatewayId']).orderBy('id').execute();

let clock = 1_700_000_000_000;
beforeEach(() => {
  clock += 100_000;
});
const health = (over: Partial<GatewayHealth> = {}): GatewayHealth => ({
  gatewayId: a.id,
  at: clock,
  startedAt: 1_600_000_000_000,
  version: '1',
  outbox: { pending: 0, oldestAt: null, bytes: 0, maxBytes: 1 },
  devices: [],
  ...over,
});
const signed = (content: unknown, key = keys.privateKey) => {
  const body = JSON.stringify(content);
  return Buffer.from(JSON.stringify({ body, sig: sign(null, Buffer.from(body), key).toString('base64url') }));
};
const receive = (data: Uint8Array, gatewayId = a.id) =>
  receiveHealth(
    { db, now: () => new Date(clock), log: pino({ enabled: false }) },
    subjects.health(gatewayId),
    data,
  );
const stored = () =>
  owner.selectFrom('gatewayStatus').selectAll().where('gatewayId', '=', a.id).executeTakeFirstOrThrow();

test('what a trusted gateway signs is stored', async () => {
  expect(
    await receive(
      signed(health({ version: '2', outbox: { pending: 5, oldestAt: 7, bytes: 9, maxBytes: 11 } })),
    ),
  ).toEqual({ ok: true });
  expect(await stored()).toMatchObject({
    version: '2',
    heardAt: new Date(clock),
    outboxPending: '5',
    outboxOldestAt: new Date(7),
  });
});

const stranger = generateKeyPairSync('ed25519').privateKey;
test.each([
  ['not JSON', () => Buffer.from('{'), a.id, 'shape'],
  ['not UTF-8', () => Buffer.from([0xff, 0xfe]), a.id, 'shape'],
  ['without a signature', () => Buffer.from('{"body":"{}"}'), a.id, 'shape'],
  ['signed by somebody else', () => signed(health(), stranger), a.id, 'signature'],
  [
    'with half a signature',
    () => Buffer.from(JSON.stringify({ body: '{}', sig: 'AAAA' })),
    a.id,
    'signature',
  ],
  ['about another gateway', () => signed(health({ gatewayId: b.id })), a.id, 'another gateway'],
  ['of another shape', () => signed({ gatewayId: a.id }), a.id, 'shape'],
  ['of a gateway that nobody trusts yet', () => signed(health({ gatewayId: b.id })), b.id, 'unknown gateway'],
  ['of a gateway that does not exist', () => signed(health()), randomUUID(), 'unknown gateway'],
  ['under a name that is no id', () => signed(health()), `x' or true --`, 'unknown gateway'],
])('a message %s is not believed', async (_what, data, gatewayId, why) => {
  expect(await receive(data(), gatewayId)).toEqual({ ok: false, why });
});

test('an older word does not undo a newer one, but shows that the gateway is there', async () => {
  await receive(signed(health({ version: 'new' })));
  clock += 5_000;
  await receive(signed(health({ version: 'old', at: clock - 60_000 })));
  expect(await stored()).toMatchObject({ version: 'new', heardAt: new Date(clock) });
});

test('a gateway that restarts with its clock set back is believed', async () => {
  await receive(signed(health({ version: 'before' })));
  await receive(signed(health({ version: 'after', at: 1_000, startedAt: 500 })));
  expect(await stored()).toMatchObject({ version: 'after', reportedAt: new Date(1_000) });
});

test('a gateway speaks for its own devices only', async () => {
  const say = (state: 'online' | 'silent', lastOkAt: number | null) =>
    devices.map(({ id }) => ({
      equipmentId: id,
      state,
      lastOkAt,
      error: state === 'silent' ? 'no answer' : null,
    }));
  await receive(signed(health({ devices: say('online', clock - 1_000) })));
  const own = devices.filter(({ gatewayId }) => gatewayId === a.id).map(({ id }) => id);
  const rows = () => owner.selectFrom('deviceStatus').selectAll().orderBy('equipmentId').execute();
  expect((await rows()).map(({ equipmentId }) => equipmentId)).toEqual(own);

  const lastOkAt = new Date(clock - 1_000);
  clock += 10_000;
  await receive(signed(health({ devices: say('silent', null) })));
  // A restarted gateway has no memory of the last good answer; the cloud keeps it.
  expect((await rows())[0]).toMatchObject({ state: 'silent', error: 'no answer', lastOkAt });
});

test('data shows that a gateway is there, and a late message does not turn the time back', async () => {
  await status.recordHeard(db, accountId, b.id, new Date(2_000));
  await status.recordHeard(db, accountId, b.id, new Date(1_000));
  const row = await owner
    .selectFrom('gatewayStatus')
    .select('heardAt')
    .where('gatewayId', '=', b.id)
    .executeTakeFirst();
  expect(row?.heardAt).toEqual(new Date(2_000));
});

test('what a gateway says over the real broker arrives, and nothing after the end', async () => {
  const user = createUser();
  const nats = await startNats({ gateways: [{ id: a.id, publicNkey: user.getPublicKey() }] });
  const [core, gateway] = await Promise.all([
    connect({ servers: nats.url, authenticator: byCreds(nats.coreCreds) }),
    connect({
      servers: nats.url,
      authenticator: jwtAuthenticator(nats.gatewayJwts.get(a.id) ?? '', user.getSeed()),
      inboxPrefix: `_INBOX.${a.id}`,
    }),
  ]);
  const stop = new AbortController();
  const log = pino({ enabled: false });
  const running = runHealth({ db, nats: core, now: () => new Date(clock), log }, stop.signal);
  try {
    await core.flush(); // The subscription is known to the server.
    gateway.publish(subjects.health(a.id), 'not a health message');
    gateway.publish(subjects.health(a.id), signed(health({ version: 'over nats' })));
    await vi.waitFor(async () => expect(await stored()).toMatchObject({ version: 'over nats' }), 5_000);
    stop.abort();
    await running;
  } finally {
    await Promise.all([core.close(), gateway.close()]);
    await nats.stop();
  }
});
