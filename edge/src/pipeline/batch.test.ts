import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { decodeEnvelope, type GatewayEvent, type SampleBatch } from '@parkline/contract';
import { expect, test } from 'vitest';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { openTestOutbox, scratch } from '../testing/scratch.ts';
import { createBatcher } from './batch.ts';
import { encodeTable, type StampedSample } from './codec.ts';
import { createGapLedger } from './gaps.ts';
import { type Outbox, OutboxError, type Room } from './outbox.ts';

const gatewayId = '018f0000-0000-7000-8000-000000000001';
const keys = generateKeyPairSync('ed25519');
const table = encodeTable([
  { id: '018f0000-0000-7000-8000-000000000002', unit: 'kW', kind: 'gauge', resolution: 1 },
  { id: '018f0000-0000-7000-8000-000000000003', unit: 'kWh', kind: 'register', resolution: 0.01 },
]);
const sample = (point: number, at: number): StampedSample => ({
  ...{ point, at, value: at, quality: 'good', boundary: false, suspect: false },
});

function given(
  outbox: Pick<Outbox, 'append' | 'room' | 'tableHash' | 'saveGap' | 'untoldGaps'>,
  points = table,
) {
  const refused: StampedSample[] = [];
  let appended = 0;
  const told: GatewayEvent[] = [];
  const gaps = createGapLedger({
    ...{ outbox, now: () => 77, faults: rememberingFaults() },
    events: { add: (event) => void told.push(event) },
  });
  const batcher = createBatcher({
    gatewayId,
    outbox,
    table: points,
    kindOf: (point) => (['gauge', 'register', 'state'] as const)[point],
    thinToMs: 60_000,
    sign: (bytes) => sign(null, bytes, keys.privateKey),
    now: () => 77,
    gaps,
    onAppended: () => (appended += 1),
    onRefused: (each) => refused.push(each),
  });
  return { batcher, refused, gaps, told, appended: () => appended };
}

/** Verifies and opens every message in the outbox. */
function messages(outbox: Outbox) {
  return outbox.waiting(0, 100).map((seq) => {
    const decoded = decodeEnvelope(outbox.envelope(seq)!);
    if (!decoded.ok) throw new Error(decoded.why);
    const { header, payload, signed, signature } = decoded.envelope;
    expect(verify(null, signed, keys.publicKey, signature)).toBe(true);
    expect(header).toMatchObject({ gatewayId, epoch: outbox.epoch, seq });
    return { header, body: JSON.parse(zstdDecompressSync(payload).toString()) as SampleBatch };
  });
}

test('a new outbox gets the point table first, once, then signed batches that name it', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  const { batcher, appended } = given(outbox);
  batcher.flush();
  batcher.add(sample(0, 10));
  batcher.flush();
  batcher.add(sample(1, 20));
  batcher.add(sample(0, 15));
  batcher.flush();
  const [first, second, third, ...rest] = messages(outbox);
  expect(first?.header).toMatchObject({ kind: 'points', count: 2, from: 77, to: 77 });
  expect(second?.header).toMatchObject({ kind: 'samples', count: 1, from: 10, to: 10 });
  expect(third?.header).toMatchObject({ kind: 'samples', count: 2, from: 15, to: 20 });
  expect([second?.body.table, third?.body.p]).toEqual([table.hash, [1, 0]]);
  expect(rest).toEqual([]);
  expect(appended()).toBe(2);
  outbox.close();
});

test('a restart does not repeat the table, a changed mapping makes a new one', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  for (const points of [table, table, encodeTable([])]) {
    const { batcher } = given(outbox, points);
    batcher.add(sample(0, 10));
    batcher.flush();
  }
  expect(messages(outbox).map(({ header }) => header.kind)).toEqual([
    ...['points', 'samples', 'samples', 'points', 'samples'],
  ]);
  outbox.close();
});

test('a thousand samples do not wait for the second to pass', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  const { batcher } = given(outbox);
  for (let i = 0; i < 1_500; i += 1) batcher.add(sample(0, i));
  expect(messages(outbox).map(({ header }) => header.count)).toEqual([2, 1_000]);
  batcher.flush();
  expect(messages(outbox).map(({ header }) => header.count)).toEqual([2, 1_000, 500]);
  outbox.close();
});

test('in a nearly full outbox gauges are refused and registers kept; in a full one all are refused', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  let room: Room = 'registers';
  const { batcher, refused, gaps } = given({ ...outbox, room: () => room });
  const flushBoth = (at: number): void => {
    batcher.add(sample(0, at));
    batcher.add(sample(1, at));
    batcher.flush();
  };
  flushBoth(10);
  expect(messages(outbox).at(-1)?.body.p).toEqual([1]);
  expect(refused.map(({ point }) => point)).toEqual([0]);
  room = 'none';
  flushBoth(20);
  expect(outbox.lastSeq()).toBe(2);
  expect([refused.length, gaps.refused()]).toEqual([3, 3]);
  room = 'all';
  flushBoth(30);
  expect(messages(outbox).at(-1)?.body.p).toEqual([0, 1]);
  expect(gaps.refused()).toBe(3);
  outbox.close();
});

test('in a filling outbox one reading of each gauge a minute is kept, and every turn of its quality; the rest is a told gap', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  let room: Room = 'thinned';
  const { batcher, refused, told } = given({ ...outbox, room: () => room });
  for (let at = 0; at <= 120_000; at += 10_000) for (const point of [0, 1, 2]) batcher.add(sample(point, at));
  batcher.add({ ...sample(0, 121_000), value: null, quality: 'bad' });
  batcher.flush();
  const { body } = messages(outbox).at(-1)!;
  const kept = body.p.map((point, n) => [point, body.t0 + body.dt[n]!] as const);
  expect(kept.filter(([point]) => point === 0).map(([, at]) => at)).toEqual([0, 60_000, 120_000, 121_000]);
  expect([1, 2].map((point) => kept.filter(([p]) => p === point).length)).toEqual([13, 13]);
  expect(refused).toHaveLength(10);
  room = 'all';
  batcher.add(sample(0, 130_000));
  batcher.flush();
  expect(told).toMatchObject([
    { type: 'gap', what: 'gauges', why: 'thinned', from: 10_000, to: 110_000, count: 10 },
  ]);
  outbox.close();
});

test('registers alone in a nearly full outbox are no gap', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  const { batcher, gaps } = given({ ...outbox, room: () => 'registers' });
  batcher.add(sample(1, 10));
  batcher.flush();
  expect([outbox.lastSeq(), gaps.refused()]).toEqual([2, 0]);
  outbox.close();
});

test('a failing disk is a gap, a damaged file is an end', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  let code: 'disk' | 'corrupt' = 'disk';
  const { batcher, refused } = given({
    ...outbox,
    append: () => {
      throw new OutboxError(code, 'no');
    },
  });
  batcher.add(sample(0, 10));
  batcher.flush();
  expect(refused).toHaveLength(1);
  code = 'corrupt';
  batcher.add(sample(0, 20));
  expect(() => {
    batcher.flush();
  }).toThrow('no');
  outbox.close();
});

test('a thousand samples travel in at most 5 bytes each, envelope and signature included', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  const { batcher } = given(outbox);
  // 250 points read four times: two decimals that wander, every fifth a register that counts up.
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const last = Array.from({ length: 250 }, () => Math.round(random() * 40_000));
  for (let i = 0; i < 1_000; i += 1) {
    const point = i % 250;
    last[point] = last[point]! + Math.round((random() - 0.5) * 100);
    const value = point % 5 === 0 ? 12_345_678 + last[point] : last[point] / 100;
    batcher.add({ ...sample(point, 1_795_000_000_000 + i + Math.floor(random() * 3)), value });
  }
  expect(outbox.envelope(2)!.length / 1_000).toBeLessThanOrEqual(5);
  outbox.close();
});
