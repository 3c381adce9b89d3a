import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { generateKeyPairSync, verify } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type LiveUpdate, type Receipt, type SignedText, subjects, UPLINK_STREAM } from '@parkline/contract';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { byCreds, startNats } from '../../../tests/support/nats.ts';
import { systemNow, systemWait } from '../platform/clock.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { failpoints } from './failpoint.ts';
import { runIngest } from './ingest.ts';
import { createSender, givenPark, type TestGateway } from './testing.ts';
import { MOST_OF_ONE, openUplink, streamAdvice, streamFaults } from './uplink-stream.ts';

const database = await clonedDatabase();
const owner = database.pool();
const server = await startNats({ gateways: [] });
const authenticator = byCreds(server.coreCreds);
const nats = await connect({
  servers: server.url,
  authenticator,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 100,
});
const cloud = generateKeyPairSync('ed25519');
afterAll(async () => {
  await nats.close();
  await server.stop();
});

const start = Date.now() - 3_600_000;
let gateway: TestGateway;
let running: (() => Promise<void>)[] = [];
beforeAll(() => openUplink(nats));
beforeEach(async () => {
  gateway = (await givenPark(owner)).gateways[0]!;
});
afterEach(async () => {
  await Promise.all(running.map((stop) => stop()));
  running = [];
});

/** Ingest in this process; ends with the test. */
function ingest(): void {
  const stop = new AbortController();
  const pool = database.pool('parkline_ingest');
  const log = pino({ enabled: false });
  const done = runIngest(
    { pool, nats, signingKey: cloud.privateKey, now: systemNow, wait: systemWait, log },
    stop.signal,
  );
  running.push(() => (stop.abort(), done));
}

/** Ingest as a process of its own, which begins when its standard input ends. */
function ingestProcess(failpoint = ''): ChildProcessByStdio<Writable, null, null> {
  const program = join(import.meta.dirname, 'testing-ingest.ts');
  const child = spawn(process.execPath, [program, database.url, server.url, server.coreCreds, failpoint], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  running.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  return child;
}

const publish = (bytes: Uint8Array, from = gateway) =>
  jetstream(nats).publish(subjects.uplink(from.id), bytes);

/** As a gateway does: what its share of the stream has no room for is kept and sent again. */
async function publishInTurn(bytes: Uint8Array): Promise<void> {
  for (;;) {
    try {
      return void (await publish(bytes));
    } catch (error) {
      if (!String(error).includes('maximum messages per subject exceeded')) throw error;
      await sleep(20);
    }
  }
}

async function eventually(check: () => Promise<boolean>, ms = 20_000): Promise<void> {
  for (const end = Date.now() + ms; !(await check()); await sleep(50))
    if (Date.now() > end) throw new Error('did not come true in time');
}

const count = async (from = gateway) => {
  const { rows } = await owner.query<{ n: number; sum: number }>(
    'select count(*)::int as n, sum(value) as sum from reading where point_num = any($1)',
    [from.points.map(({ num }) => num)],
  );
  return rows[0]!;
};
const isDrained = async () =>
  (await (await jetstreamManager(nats)).streams.info(UPLINK_STREAM)).state.messages === 0;

/** Messages of 4 samples each as long as `goesOn`, given how many there were, and what they must come to. */
async function sendWhile(goesOn: (batches: number) => boolean, sender = createSender(gateway)) {
  await publishInTurn(sender.points());
  let batches = 0;
  for (; goesOn(batches); batches += 1)
    await publishInTurn(
      sender.samples([0, 1, 2, 3].map((p) => [p, start + batches * 1_000, batches] as const)),
    );
  return { n: 4 * batches, sum: (4 * batches * (batches - 1)) / 2 };
}
const send = (batches: number) => sendWhile((sent) => sent < batches);

test("takes a batch to the database, receipts it with the cloud's key and tells the live page", async () => {
  ingest();
  const [receipts, live] = [
    nats.subscribe(subjects.receipt(gateway.id), { max: 1 }),
    nats.subscribe(subjects.live(gateway.accountId), { max: 1 }),
  ];
  const sender = createSender(gateway);
  await publish(sender.points());
  await publish(
    sender.samples([
      [1, start, 1_234],
      [1, start + 1_000, 1_235],
    ]),
  );

  for await (const message of receipts) {
    const { body, sig } = message.json<SignedText>();
    expect(verify(null, Buffer.from(body), cloud.publicKey, Buffer.from(sig, 'base64url'))).toBe(true);
    const receipt = JSON.parse(body) as Receipt;
    expect(receipt).toMatchObject({ gatewayId: gateway.id, epoch: sender.epoch });
    expect(receipt.ranges[0]?.[0]).toBe(1);
  }
  for await (const message of live)
    expect(message.json<LiveUpdate>().samples).toEqual([
      { pointId: gateway.points[1]!.id, at: start + 1_000, value: 12.35, q: 0 },
    ]);
  await eventually(isDrained);

  const question = JSON.stringify({ epoch: sender.epoch });
  const answer = (
    await nats.request(subjects.receiptQuery(gateway.id), question, { timeout: 5_000 })
  ).json<SignedText>();
  expect(JSON.parse(answer.body)).toMatchObject({ gatewayId: gateway.id, ranges: [[1, 2]] });

  await eventually(async () => {
    const { rows } = await owner.query('select value from point_latest where point_num = $1', [
      gateway.points[1]!.num,
    ]);
    return rows[0]?.value === 1_235;
  });
});

test('gives no answer to what is no question', async () => {
  ingest();
  await eventually(
    async () =>
      (await nats
        .request(subjects.receiptQuery(gateway.id), '{"epoch":"0000000000000000"}')
        .catch(() => undefined)) !== undefined,
  );
  for (const text of ['', '{}', '{"epoch":"x"}', '[1]'])
    await expect(nats.request(subjects.receiptQuery(gateway.id), text, { timeout: 200 })).rejects.toThrow();
});

test.each(failpoints)(
  'killed %s, stores every sample exactly once',
  async (name) => {
    // Both load at once, so that on a busy machine nobody waits for a second start.
    const [victim, successor] = [ingestProcess(`${name}:crash@1`), ingestProcess()];
    const expected = await send(40);
    victim.stdin.end();
    const [, signal] = await once(victim, 'exit');
    expect(signal).toBe('SIGKILL');
    successor.stdin.end();
    await eventually(isDrained, 30_000);
    expect(await count()).toEqual(expected);
  },
  60_000,
);

test('two at once store every sample exactly once, also when each message comes twice', async () => {
  ingest();
  ingest();
  const sender = createSender(gateway);
  const repeats: Uint8Array[] = [];
  await publish(sender.points());
  for (let n = 0; n < 150; n += 1) {
    const batch = sender.samples([0, 1, 2, 3].map((p) => [p, start + n * 1_000, n] as const));
    repeats.push(batch);
    await publish(batch);
    await publish(repeats[(n * 7) % repeats.length]!);
  }
  await eventually(isDrained);
  expect(await count()).toEqual({ n: 600, sum: 4 * ((150 * 149) / 2) });
  const { rows } = await owner.query('select ranges::text from uplink_receipt where epoch = $1', [
    sender.epoch,
  ]);
  expect(rows[0]).toEqual({ ranges: '{[1,152)}' });
});

test('is not held up by poison', async () => {
  ingest();
  for (const bytes of ['', 'garbage', '\u0001\u0000\u0002{}']) await publish(Buffer.from(bytes));
  await publish(createSender(gateway, generateKeyPairSync('ed25519').privateKey).points());
  await jetstream(nats).publish('up.nobody.b', createSender(gateway).points());
  const expected = await send(3);
  await eventually(isDrained);
  expect(await count()).toEqual(expected);
  const { rows } = await owner.query('select reason from quarantine where gateway = any($1) order by id', [
    [gateway.id, 'nobody'],
  ]);
  expect(rows.map(({ reason }) => reason)).toEqual([
    'version',
    'version',
    'truncated',
    'signature',
    'subject',
  ]);
});

test('loses nothing and does not fall over while its database connections are cut again and again', async () => {
  const victim = ingestProcess();
  victim.stdin.end();
  let isCutting = true;
  const sending = sendWhile(() => isCutting);
  // Before it has begun it may end: whoever starts it starts it again.
  await eventually(async () => (await count()).n > 0, 60_000);
  for (let cut = 0; cut < 10; cut += 1) {
    await owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and application_name = 'parkline'`,
    );
    await sleep(150);
  }
  isCutting = false;
  const expected = await sending;
  await eventually(isDrained, 30_000);
  expect(await count()).toEqual(expected);
  expect([victim.exitCode, victim.signalCode]).toEqual([null, null]);
}, 120_000);

test('goes on after the broker was killed and after its stream was wiped', async () => {
  ingest();
  const before = await send(5);
  await eventually(async () => (await count()).n === before.n);
  await server.kill();
  await server.restart();
  await eventually(() => isDrained().catch(() => false));
  await (await jetstreamManager(nats)).streams.delete(UPLINK_STREAM);
  await eventually(() => isDrained().catch(() => false));
  const second = (await givenPark(owner)).gateways[0]!;
  const sender = createSender(second);
  await publish(sender.points(), second);
  await publish(sender.samples([[0, start, 1]]), second);
  await eventually(async () => (await count(second)).n === 1);
});

test('a gateway that floods fills its own share and nobody else’s', async () => {
  const { streams } = await jetstreamManager(nats);
  const { config } = await streams.info(UPLINK_STREAM);
  expect(config.max_msgs_per_subject).toBe(MOST_OF_ONE);
  await streams.update(UPLINK_STREAM, { max_msgs_per_subject: 5 }); // Each message waits for the disk.
  const flood = { ...gateway, id: 'flood' };
  const sent = await Promise.allSettled(
    Array.from({ length: 8 }, () => publish(Buffer.from('again'), flood)),
  );
  expect(sent.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
  await expect(publish(Buffer.from('once more'), flood)).rejects.toThrow(/maximum messages per subject/);
  ingest();
  const expected = await send(3);
  await eventually(async () => (await count()).n === expected.n);
  await eventually(isDrained);
  await publish(Buffer.from('there is room again'), flood);
  await streams.update(UPLINK_STREAM, { max_msgs_per_subject: MOST_OF_ONE });
});

test('refuses a stream whose settings would lose messages', async () => {
  const manager = await jetstreamManager(nats);
  const { config } = await manager.streams.info(UPLINK_STREAM);
  expect(streamFaults(config)).toEqual([]);
  expect(streamFaults({ ...config, storage: StorageType.Memory, max_age: 1, subjects: [] })).toHaveLength(3);
  expect(streamFaults({ ...config, discard_new_per_subject: false })).toHaveLength(1);
  expect(streamAdvice(config)).toBeUndefined();
  const advice = (share: number) => streamAdvice({ ...config, max_msgs_per_subject: share });
  expect(advice(-1)).toMatch(/can fill all of stream UP: npm run nats -- share/);
  expect(advice(MOST_OF_ONE + 1)).toContain('can fill 513 messages of stream UP');
});
