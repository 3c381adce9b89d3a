import { createHash, type KeyObject, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import {
  decodeEnvelope,
  type EventBatch,
  GatewayHealth,
  type Receipt,
  type SampleBatch,
  SignedText,
  subjects,
  UPLINK_STREAM,
  type UplinkHeader,
} from '@parkline/contract';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Value } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { byCreds, startNats, type TestNats } from '../../tests/support/nats.ts';
import { newKeys, signedReceipt } from './testing/cloud.ts';
import {
  countingDriver,
  equipmentId,
  newIdentity,
  runGateway,
  type RunningGateway,
} from './testing/gateway.ts';
import { scratch } from './testing/scratch.ts';

const identity = newIdentity();
const { gatewayId } = identity;
const cloudKeys = newKeys();

let nats: TestNats;
let core: NatsConnection;
let home: ReturnType<typeof scratch>;
let gateway: RunningGateway;
let driver: ReturnType<typeof countingDriver>;
/** Every message that reached CORE, verified, in order of arrival. */
let arrived: { header: UplinkHeader; body: SampleBatch; messageId: string }[];
/** What the cloud says it holds when asked; undefined: it does not answer. */
let held: (() => Receipt['ranges']) | undefined;

beforeEach(async () => {
  home = scratch();
  arrived = [];
  held = undefined;
  driver = countingDriver();
  nats = await startNats({ gateways: [{ id: gatewayId, publicNkey: identity.natsKey }] });
  core = await connect({
    servers: nats.url,
    authenticator: byCreds(nats.coreCreds),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  await core.request(
    `$JS.API.STREAM.CREATE.${UPLINK_STREAM}`,
    JSON.stringify({
      name: UPLINK_STREAM,
      subjects: ['up.*.b'],
      retention: 'workqueue',
      discard: 'new',
      storage: 'file',
    }),
  );
  core.subscribe(subjects.uplink(gatewayId), {
    callback: (_error, { data, headers }) => void arrive(data, headers),
  });
  core.subscribe(subjects.receiptQuery(gatewayId), {
    callback: (_error, message) => {
      const { epoch } = message.json<{ epoch: string }>();
      if (held) message.respond(receipt({ epoch, ranges: held() }));
    },
  });
  gateway = await runGateway(home.path, {
    identity,
    natsUrl: nats.url,
    natsJwt: nats.gatewayJwts.get(gatewayId),
    cloudKey: cloudKeys.publicKey,
    driver,
  });
});

afterEach(async () => {
  await gateway.stop();
  await core.close();
  await nats.stop();
  home[Symbol.dispose]();
});

function arrive(data: Uint8Array, headers: { get(key: string): string } | undefined): void {
  arrived.push({ ...opened(data), messageId: headers?.get('Nats-Msg-Id') ?? '' });
}

function opened(data: Uint8Array): { header: UplinkHeader; body: SampleBatch } {
  const decoded = decodeEnvelope(data);
  if (!decoded.ok) throw new Error(decoded.why);
  const { header, payload, signed, signature } = decoded.envelope;
  expect(verify(null, signed, identity.publicKey, signature)).toBe(true);
  return { header, body: JSON.parse(zstdDecompressSync(payload).toString()) as SampleBatch };
}

/** Numbers of the messages in the stream, ascending, as often as they are there. */
async function stored(): Promise<number[]> {
  const ask = async <T>(what: string, body?: object): Promise<T> =>
    (await core.request(`$JS.API.STREAM.${what}.${UPLINK_STREAM}`, body && JSON.stringify(body))).json<T>();
  const { state } = await ask<{ state: { messages: number } }>('INFO');
  const found: number[] = [];
  for (let seq = 1; seq <= state.messages; seq += 1) {
    const { message } = await ask<{ message: { data: string } }>('MSG.GET', { seq });
    found.push(opened(Buffer.from(message.data, 'base64')).header.seq);
  }
  return found.toSorted((a, b) => a - b);
}

const isWhole = (numbers: readonly number[]): boolean => numbers.every((n, i) => n === i + 1);

const seqs = (): number[] => [...new Set(arrived.map(({ header }) => header.seq))].toSorted((a, b) => a - b);
const epoch = (): string => arrived[0]!.header.epoch;
const receipt = (over: Partial<Receipt>, key = cloudKeys.privateKey): Uint8Array =>
  signedReceipt({ gatewayId, epoch: epoch(), ranges: [], at: Date.now(), ...over }, key);

/** The outbox as another process sees it. */
function onDisk(sql: string): unknown[] {
  const db = new DatabaseSync(join(home.path, 'outbox.sqlite'), { readOnly: true });
  try {
    return db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row)[0]);
  } finally {
    db.close();
  }
}
const waiting = () => onDisk('SELECT seq FROM message WHERE received_at IS NULL ORDER BY seq');

async function until(what: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!(await what())) {
    if (Date.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${what.toString()}`);
    await sleep(20);
  }
}

describe('a gateway on a real NATS server', () => {
  test('its messages arrive signed, the point table first, every value once', async () => {
    await until(() => seqs().length >= 5 && isWhole(seqs()));
    const bySeq = arrived.toSorted((a, b) => a.header.seq - b.header.seq);
    expect(bySeq.map(({ header }) => header.kind)[0]).toBe('points');
    const values = bySeq.filter(({ header }) => header.kind === 'samples').flatMap(({ body }) => body.v);
    expect(values).toEqual(values.map((_, i) => i + 1));
  });

  test('a PubAck deletes nothing, nor does any receipt that is not signed by the cloud for this outbox', async () => {
    await until(() => seqs().length >= 3);
    const ranges: Receipt['ranges'] = [[1, 3]];
    const bad: Uint8Array[] = [
      receipt({ ranges }, newKeys().privateKey),
      receipt({ ranges, gatewayId: gatewayId.replace('0001', '0009') }),
      receipt({ ranges, epoch: 'f'.repeat(16) }),
      Buffer.from(JSON.stringify({ gatewayId, epoch: epoch(), ranges, at: Date.now() })),
    ];
    for (const bytes of bad) core.publish(subjects.receipt(gatewayId), bytes);
    await core.flush();
    const before = seqs().length;
    await until(() => seqs().length >= before + 3);
    expect(waiting().slice(0, 3)).toEqual([1, 2, 3]);

    core.publish(subjects.receipt(gatewayId), receipt({ ranges }));
    await until(() => waiting()[0] === 4);
    await until(() => onDisk('SELECT count(*) FROM message WHERE seq IN (2, 3)')[0] === 0);
    expect(onDisk("SELECT seq FROM message WHERE kind = 'points'")).toEqual([1]);
  });

  test('NATS dies: reading goes on; it returns: the cloud is asked, and what waited arrives', async () => {
    await until(async () => (await stored()).length >= 3 && isWhole(await stored()));
    await nats.kill();
    const [readsAtKill, seqAtKill] = [driver.reads, seqs().at(-1)!];
    await until(() => driver.reads > readsAtKill + 15);
    let asked = 0;
    held = () => {
      asked += 1;
      return [[1, 2]];
    };
    await nats.restart();
    await until(() => asked > 0 && waiting()[0] === 3, 20_000);
    await until(async () => {
      const inStream = await stored();
      // A backlog is let in only as fast as the cloud takes it.
      const ranges = inStream.map((seq): [number, number] => [seq, seq]);
      core.publish(subjects.receipt(gatewayId), receipt({ ranges }));
      return inStream.length >= seqAtKill + 5 && isWhole(inStream);
    });
  });

  test('what was PubAcked and never receipted goes again with the same id', async () => {
    await until(async () => (await stored()).length >= 3);
    const ids = () => arrived.filter(({ header }) => header.seq === 2).map(({ messageId }) => messageId);
    await until(() => {
      gateway.skip(31_000);
      return ids().length >= 2;
    });
    expect(ids()[0]).toMatch(/^[\w-]{43}$/);
    expect(new Set(ids()).size).toBe(1);
    expect((await stored()).filter((seq) => seq === 2)).toHaveLength(1);
  });

  test('a cloud restored to an earlier state gets back what it lost', async () => {
    const times = (seq: number) => arrived.filter(({ header }) => header.seq === seq).length;
    /** Tells that all up to `last` was received, and then that the last three were lost. */
    const lose = async (last: number): Promise<boolean> => {
      await until(() => seqs().length > last);
      core.publish(subjects.receipt(gatewayId), receipt({ ranges: [[1, last]] }));
      core.publish(subjects.receipt(gatewayId), receipt({ ranges: [[1, last - 3]] }));
      return until(() => times(last - 1) === 2 && times(last) === 2, 3_000).then(
        () => true,
        () => false,
      );
    };
    // Received rows are deleted every second here (keepHours 0): when that falls between the two receipts, nothing is left to
    // send again, and the next rows tell.
    let last = 5;
    while (!(await lose(last))) last += 3;
    expect(times(last - 3)).toBe(1);
  });

  test('its health is signed and names its device', async () => {
    const messages: Uint8Array[] = [];
    core.subscribe(subjects.health(gatewayId), { callback: (_error, { data }) => void messages.push(data) });
    await until(() => messages.length > 0);
    const { body, sig } = Value.Parse(SignedText, JSON.parse(Buffer.from(messages[0]!).toString()));
    expect(verify(null, Buffer.from(body), identity.publicKey, Buffer.from(sig, 'base64url'))).toBe(true);
    const health = Value.Parse(GatewayHealth, JSON.parse(body));
    expect(health.devices).toMatchObject([{ equipmentId, state: 'online', error: null }]);
  });

  test('a configuration that the cloud offers is put into force while all runs; a forged one is not', async () => {
    await until(() => seqs().length >= 3);
    const path = join(home.path, 'gateway.yaml');
    const first = readFileSync(path, 'utf8');
    const offer = (yaml: string, at: number, key: KeyObject): Uint8Array =>
      signedReceipt(JSON.stringify({ gatewayId, yaml, at }), key);
    const wanted = first.replace('address: x', 'address: y');
    core.publish(subjects.config(gatewayId), offer(`${first}# forged`, 9, newKeys().privateKey));
    core.publish(subjects.config(gatewayId), offer(wanted, 5, cloudKeys.privateKey));
    const told = (): string[] =>
      arrived
        .filter(({ header }) => header.kind === 'events')
        .flatMap(({ body }) => (body as unknown as EventBatch).events)
        .flatMap((event) => (event.type === 'config' ? [`${event.state} ${event.hash}`] : []));
    const hash = createHash('sha256').update(wanted).digest('hex');
    await until(() => told().length >= 1);
    gateway.skip(5_000);
    await until(() => told().length >= 2);
    expect(told()).toEqual([`applied ${hash}`, `kept ${hash}`]);
    expect(readFileSync(path, 'utf8')).toBe(wanted);
    expect(new Set(arrived.map(({ header }) => header.epoch)).size).toBe(1);
    expect(isWhole(seqs())).toBe(true);
  });

  test('a stop puts the last readings on disk', async () => {
    await until(() => seqs().length >= 2);
    await gateway.stop();
    const count = onDisk("SELECT envelope FROM message WHERE kind = 'samples'")
      .map((bytes) => decodeEnvelope(bytes as Uint8Array))
      .reduce((sum, decoded) => sum + (decoded.ok ? decoded.envelope.header.count : 0), 0);
    expect(count).toBe(driver.reads);
  });
});
