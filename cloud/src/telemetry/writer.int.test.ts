import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import pino from 'pino';
import type { NatsConnection } from '@nats-io/transport-node';
import { beforeEach, expect, test } from 'vitest';
import { systemWait } from '../platform/clock.ts';
import { createDb } from '../platform/db.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { openMessage } from './decode.ts';
import { createGateways } from './gateways.ts';
import { createHeard } from './heard.ts';
import type { Delivery } from './ingest-deps.ts';
import { createLatest } from './latest.ts';
import { openStorage } from './storage.ts';
import { createSender, givenPark, type TestGateway } from './testing.ts';
import { createWriter } from './writer.ts';

const database = await clonedDatabase();
const owner = database.pool();
const pool = database.pool('parkline_ingest');
const noon = Date.UTC(2026, 10, 22, 12);
let clock = noon;
const now = () => new Date(clock);
const storage = await openStorage(pool, now());
const heard = createHeard(createDb(pool));
const told: string[] = [];

const writer = createWriter(
  {
    pool,
    nats: { publish: (subject: string) => void told.push(subject) } as unknown as NatsConnection,
    signingKey: generateKeyPairSync('ed25519').privateKey,
    now,
    wait: systemWait,
    log: pino({ enabled: false }),
    findGateway: createGateways({ pool, now }).find,
    storage,
    latest: createLatest(pool),
    heard,
  },
  new AbortController().signal,
);

let gateway: TestGateway;
let acked: number;
beforeEach(async () => {
  clock += 10_000; // What was remembered of gateways is old.
  told.length = acked = 0;
  gateway = (await givenPark(owner)).gateways[0]!;
});

const deliver = (bytes: Uint8Array, key = createPublicKey(gateway.privateKey)): Delivery => ({
  gateway: gateway.id,
  bytes,
  opened: openMessage(bytes, gateway.id, [key]),
  ack: () => (acked += 1),
});
const values = async () =>
  (
    await owner.query<{ value: number }>('select value from reading where point_num = any($1) order by ts', [
      gateway.points.map(({ num }) => num),
    ])
  ).rows.map(({ value }) => value);
const open = async () =>
  (
    await owner.query(
      'select reason from quarantine where gateway = $1 and resolved_at is null order by id',
      [gateway.id],
    )
  ).rows;

test('tells the gateway, the live page and fleet after the commit, and acknowledges', async () => {
  const sender = createSender(gateway);
  await writer.write([deliver(sender.points()), deliver(sender.samples([[0, noon, 1]]))]);
  await heard.flush();
  expect([await values(), acked]).toEqual([[1], 2]);
  expect(told).toEqual([`cmd.${gateway.id}.rcpt`, `live.${gateway.accountId}`]);
  const { rows } = await owner.query('select heard_at from gateway_status where gateway_id = $1', [
    gateway.id,
  ]);
  expect(rows).toEqual([{ heard_at: now() }]);
});

test('sets one message aside that the database refuses, and stores the others', async () => {
  const sender = createSender(gateway);
  await writer.write([deliver(sender.points())]);
  // A number above the range of bigint: our schema lets it through, the receipt's column does not.
  const strange = sender.samples([[0, noon, 2]], { seq: 1e20 });
  const batch = [sender.samples([[0, noon + 1, 1]]), strange, sender.samples([[0, noon + 2, 3]])];
  await writer.write(batch.map((bytes) => deliver(bytes)));
  expect([await values(), acked]).toEqual([[1, 3], 4]);
  expect(await open()).toEqual([{ reason: 'error' }]);
});

/** Nobody trusts the gateway any more, until `trust`. */
async function distrusted() {
  const { rows } = await owner.query<{ public_key: string }>('select public_key from gateway where id = $1', [
    gateway.id,
  ]);
  const setKey = async (key: string | null) => {
    await owner.query('update gateway set public_key = $2 where id = $1', [gateway.id, key]);
    clock += 10_000;
  };
  await setKey(null);
  return { trust: () => setKey(rows[0]!.public_key) };
}
const deliverUnproven = (bytes: Uint8Array): Delivery => {
  const opened = openMessage(bytes, gateway.id, undefined);
  return { gateway: gateway.id, bytes, opened, ack: () => (acked += 1) };
};

test('reads messages of a gateway that is trusted later', async () => {
  const { trust } = await distrusted();
  const sender = createSender(gateway);
  await writer.write([sender.points(), sender.samples([[0, noon, 7]])].map(deliverUnproven));
  await writer.retryQuarantine();
  expect([await open(), told]).toEqual([[{ reason: 'gateway' }, { reason: 'gateway' }], []]);

  await trust();
  await writer.retryQuarantine();
  expect([await open(), await values()]).toEqual([[], [7]]);
});

test.each([
  ['tried again', () => writer.retryQuarantine()],
  ['sent again', (batch: Uint8Array) => writer.write([deliver(batch)])],
])('keeps a batch that is %s once its gateway is trusted, until its table comes', async (_how, again) => {
  const { trust } = await distrusted();
  const sender = createSender(gateway);
  const [table, batch] = [sender.points(), sender.samples([[0, noon, 7]])];
  await writer.write([deliverUnproven(batch)]);
  await trust();
  await again(batch);
  await writer.retryQuarantine();
  expect(await open()).toEqual([{ reason: 'table' }]);

  await writer.write([deliver(table)]);
  expect([await open(), await values()]).toEqual([[], [7]]);
});

test('takes a point table whose point is made later, and what waited for it', async () => {
  const sender = createSender(gateway);
  const { id, num } = gateway.points[0]!;
  const { rows: kept } = await owner.query<{ equipment_id: string }>(
    'select equipment_id from point where num = $1',
    [num],
  );
  const elsewhere = (await givenPark(owner)).gateways[0]!;
  await owner.query('update point set account_id = $2, equipment_id = $3, key = $4 where num = $1', [
    num,
    elsewhere.accountId,
    elsewhere.meters[0]!.id,
    'moved',
  ]);
  await writer.write([deliver(sender.points()), deliver(sender.samples([[0, noon, 7]]))]);
  await writer.retryQuarantine();
  expect(await open()).toEqual([{ reason: 'point' }, { reason: 'table' }]);

  await owner.query('update point set account_id = $2, equipment_id = $3, key = $4 where id = $1', [
    id,
    gateway.accountId,
    kept[0]!.equipment_id,
    'active_power_total',
  ]);
  await writer.retryQuarantine();
  expect([await open(), await values()]).toEqual([[], [7]]);
});
