import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { GatewayEvent } from '@parkline/contract';
import { beforeEach, describe, expect, test } from 'vitest';
import { clonedDatabase } from '../platform/testing.ts';
import { openMessage } from './decode.ts';
import { MOST_UNPROVEN } from './quarantine.ts';
import { openStorage } from './storage.ts';
import { type Message, storeMessages } from './store.ts';
import { createPointTables } from './tables.ts';
import { createSender, givenPark, type TestGateway } from './testing.ts';

const database = await clonedDatabase();
const owner = database.pool();
const pool = database.pool('parkline_ingest');
const now = () => new Date('2026-11-22T10:00:00Z');
const noon = now().getTime() - 3_600_000;
const storage = await openStorage(pool, now());

let gateway: TestGateway;
let other: TestGateway;
beforeEach(async () => {
  const park = await givenPark(owner, { gateways: 2 });
  [gateway, other] = park.gateways as [TestGateway, TestGateway];
});

const openAs = (bytes: Uint8Array, from = gateway, key = createPublicKey(from.privateKey)): Message => ({
  gateway: from.id,
  bytes,
  opened: openMessage(bytes, from.id, [key]),
});

/** One transaction of an ingest process that has just started. */
async function store(...messages: (Uint8Array | Message)[]) {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const deps = { tables: createPointTables(), now, makeRoom: storage.ensure };
    const stored = await storeMessages(
      deps,
      client,
      messages.map((one) => ('opened' in one ? one : openAs(one))),
    );
    await client.query('commit');
    return stored;
  } finally {
    client.release();
  }
}

const rows = async (from = gateway) =>
  (
    await owner.query<{ point: number; at: string; value: number | null; quality: number; flags: number }>(
      `select point_num as point, (extract(epoch from ts) * 1000)::float8 as at, value, quality, flags
       from reading where point_num = any($1) order by 1, 2`,
      [from.points.map(({ num }) => num)],
    )
  ).rows.map(({ point, at, value, quality, flags }) => [
    from.points.findIndex(({ num }) => num === point),
    Number(at) - noon,
    value,
    quality,
    flags,
  ]);
const quarantined = async (from = gateway) =>
  (
    await owner.query<{ reason: string; seen: number; resolved: boolean }>(
      'select reason, seen, resolved_at is not null as resolved from quarantine where gateway = $1 order by id',
      [from.id],
    )
  ).rows;

describe('what a gateway sends', () => {
  test('is stored with its quality and its marks, and receipted', async () => {
    const sender = createSender(gateway);
    const samples = sender.samples(
      [
        [0, noon, 230.1],
        [1, noon, 1_234_567],
        [0, noon + 5_000, null],
        [0, noon + 3_700_000, 1],
      ],
      { boundary: [1], suspect: [0] },
    );
    const { receipts } = await store(sender.points(), samples);
    expect(await rows()).toEqual([
      [0, 0, 230.1, 0, 2],
      [0, 5_000, null, 2, 0],
      [0, 3_700_000, 1, 0, 2], // 100 s ahead of the cloud's clock.
      [1, 0, 1_234_567, 0, 1],
    ]);
    expect(receipts).toEqual([{ gatewayId: gateway.id, epoch: sender.epoch, ranges: [[1, 2]] }]);
  });

  test('has an effect of exactly once: ten times, in any order, in one or many transactions, and a month later', async () => {
    const sender = createSender(gateway);
    const table = sender.points();
    const batches = Array.from({ length: 8 }, (_, n) =>
      sender.samples([0, 1, 2, 3].map((p) => [p, noon + n * 1_000, n * 10] as const)),
    );
    await store(...batches.slice(4), ...batches.slice(4), table);
    for (let round = 0; round < 9; round += 1) await store(...[...batches, table].reverse());
    const { receipts } = await store(batches[3]!);
    expect(receipts[0]?.ranges).toEqual([[1, 9]]);
    expect((await rows()).length).toBe(32);
    const { rows: conflicts } = await owner.query('select from reading_conflict where account_id = $1', [
      gateway.accountId,
    ]);
    expect(conflicts).toEqual([]);
  });

  test('an event is stored once under the gateway that signed it, and receipted', async () => {
    const gap: GatewayEvent = {
      ...{ type: 'gap', id: '018f0000-0000-7000-8000-0000000000aa', at: noon, from: noon - 60_000, to: noon },
      ...{ count: 12, what: 'gauges', why: 'full' },
    };
    const sender = createSender(gateway);
    const message = sender.events(gap);
    await store(message, message);
    const { receipts } = await store(sender.events(gap, gap));
    expect(receipts[0]?.ranges).toEqual([[1, 2]]);
    await store(openAs(createSender(other).events(gap), other));
    const { rows: kept } = await owner.query(
      `select gateway_id, account_id, type, (extract(epoch from at) * 1000)::float8 as at, body from gateway_event
       where gateway_id = any($1) order by received_at`,
      [[gateway.id, other.id]],
    );
    expect(kept).toEqual(
      [gateway, other].map(({ id, accountId }) => ({
        ...{ gateway_id: id, account_id: accountId, type: 'gap', at: noon, body: gap },
      })),
    );
  });

  test('an event of a shape nobody knows waits in quarantine, and the receipt covers it', async () => {
    const sender = createSender(gateway);
    const { receipts } = await store(sender.raw('events', '{"events":[{"type":"rumour"}]}', 1, noon));
    expect(receipts[0]?.ranges).toEqual([[1, 1]]);
    expect(await quarantined()).toEqual([{ reason: 'schema', seen: 1, resolved: false }]);
  });

  test('keeps the first of two values for one point and time; an equal one is no news, another is kept as a conflict', async () => {
    const sender = createSender(gateway);
    await store(
      sender.points(),
      sender.samples([
        [0, noon, 1],
        [2, noon, 5],
      ]),
    );
    const { conflicts } = await store(
      sender.samples([
        [0, noon, 1],
        [2, noon, 6],
        [0, noon + 1_000, 7],
        [0, noon + 1_000, 8],
      ]),
    );
    expect(conflicts).toBe(2);
    expect((await rows()).map(([p, , value]) => [p, value])).toEqual([
      [0, 1],
      [0, 7],
      [2, 5],
    ]);
    const { rows: kept } = await owner.query(
      'select stored_value as a, other_value as b from reading_conflict where account_id = $1 order by 1',
      [gateway.accountId],
    );
    expect(kept).toEqual([
      { a: 5, b: 6 },
      { a: 7, b: 8 },
    ]);
  });

  test('lands on the point it was read from when two meters swap ids while the link is down', async () => {
    const sender = createSender(gateway);
    const [power1, , power2] = gateway.points;
    const before = [power1!, power2!];
    const after = [power2!, power1!];
    const old = sender.samples(
      [
        [0, noon, 11],
        [1, noon, 22],
      ],
      { table: sender.tableHash(before) },
    );
    const fresh = sender.samples(
      [
        [0, noon + 1_000, 222],
        [1, noon + 1_000, 111],
      ],
      { table: sender.tableHash(after) },
    );
    await store(fresh, old, sender.points(after));
    await store(sender.points(before));
    expect((await rows()).map(([p, , value]) => [p, value])).toEqual([
      [0, 11],
      [0, 111],
      [2, 22],
      [2, 222],
    ]);
  });

  test('with a time that cannot be is kept aside, and the samples beside it are stored', async () => {
    const sender = createSender(gateway);
    await store(
      sender.points(),
      sender.samples([
        [0, noon, 1],
        [0, Date.UTC(2100, 0, 1), 2],
        [0, 1_000, 3],
      ]),
    );
    expect((await rows()).map(([, , value]) => value)).toEqual([1]);
    expect(await quarantined()).toEqual([{ reason: 'time', seen: 1, resolved: false }]);
  });
});

describe('quarantine', () => {
  const stranger = generateKeyPairSync('ed25519');
  const plain =
    (json: string, count = 1) =>
    (sender: ReturnType<typeof createSender>) =>
      sender.raw('samples', json, count, noon);
  const bomb = JSON.stringify({ table: 'x'.repeat(5 * 1024 * 1024) });

  test.each([
    ['version', () => Buffer.from('hello')],
    ['truncated', () => Buffer.from([1, 0, 200, 1])],
    ['header', (s: ReturnType<typeof createSender>) => s.samples([], { seq: 0 })],
    ['subject', () => createSender(other).points()],
    ['signature', () => createSender(gateway, stranger.privateKey).points()],
    ['bomb', plain(bomb)],
    ['payload', plain('{')],
    ['payload', plain('\0')],
    ['schema', plain('{"table":1}')],
    ['columns', (s) => s.samples([[0, noon, 1]], { count: 2 })],
    ['columns', (s) => s.samples([[0, noon, 1]], { boundary: [1] })],
    ['value', (s) => s.samples([[1, noon, 0.5]])],
    ['index', (s) => s.samples([[9, noon, 1]])],
    ['table', (s) => s.samples([[0, noon, 1]], { table: '0'.repeat(64) })],
    ['point', (s) => s.points(other.points)],
    ['point', (s) => s.points([{ ...gateway.points[1]!, resolution: 0.1 }])],
  ] satisfies [string, (sender: ReturnType<typeof createSender>) => Uint8Array][])(
    'keeps what it cannot read (%s), receipts it if its author is proven, and lets the rest pass',
    async (reason, make) => {
      const sender = createSender(gateway);
      const [table, poison] = [sender.points(), make(sender)];
      const good = sender.samples([[0, noon, 1]]);
      const { refused, receipts } = await store(table, poison, good);
      await store(poison);
      expect(refused).toEqual({ [reason]: 1 });
      expect((await rows()).length).toBe(1);
      const unproven = ['version', 'truncated', 'header', 'subject', 'signature'].includes(reason);
      expect(
        receipts
          .find(({ epoch }) => epoch === sender.epoch)
          ?.ranges.flat()
          .at(-1),
      ).toBe(unproven ? (reason === 'header' ? 3 : 2) : 3);
      expect((await quarantined())[0]).toMatchObject({ reason, resolved: false });
    },
  );

  test('counts the same bytes instead of keeping them twice', async () => {
    for (let n = 0; n < 5; n += 1) await store(openAs(Buffer.from('again')));
    expect(await quarantined()).toEqual([{ reason: 'version', seen: 5, resolved: false }]);
  });

  test('keeps a thousand messages of a gateway that nobody has proven, and every one that is proven', async () => {
    await owner.query(
      `insert into quarantine (gateway, reason, bytes, sha256)
       select $1, 'signature', '', sha256(($1 || n)::bytea) from generate_series(1, $2) n`,
      [gateway.id, MOST_UNPROVEN - 1],
    );
    const noise = (from: TestGateway) => openAs(Buffer.from(`noise of ${from.id} ${Math.random()}`), from);
    const last = noise(gateway);
    await store(last);
    await store(noise(gateway), noise(gateway), noise(other));
    await store(last);
    await store(createSender(gateway).samples([[0, noon, 1]])); // Waits for its table.
    const { rows: kept } = await owner.query<{ gateway: string; n: number }>(
      `select gateway, count(*)::int as n from quarantine where gateway in ($1, $2) group by 1`,
      [gateway.id, other.id],
    );
    expect(Object.fromEntries(kept.map(({ gateway: id, n }) => [id, n]))).toEqual({
      [gateway.id]: MOST_UNPROVEN + 1,
      [other.id]: 1,
    });
    expect(await quarantined()).toContainEqual({ reason: 'version', seen: 2, resolved: false });
  });

  test('gives a batch back when its table arrives, once', async () => {
    const sender = createSender(gateway);
    const batch = sender.samples([
      [0, noon, 1],
      [1, noon, 2],
    ]);
    await store(batch);
    expect(await quarantined()).toEqual([{ reason: 'table', seen: 1, resolved: false }]);
    const table = sender.points();
    await store(table);
    await store(table, batch);
    expect((await rows()).length).toBe(2);
    expect(await quarantined()).toEqual([{ reason: 'table', seen: 1, resolved: true }]);
  });

  test('does not give a batch to a table of another gateway', async () => {
    const mine = createSender(gateway);
    await store(mine.samples([[0, noon, 1]]));
    await store(openAs(createSender(other).points(), other));
    expect(await quarantined()).toEqual([{ reason: 'table', seen: 1, resolved: false }]);
  });
});
