import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { decodeEnvelope, type SampleBatch } from '@parkline/contract';
import { expect, test } from 'vitest';
import { openTestOutbox, scratch } from '../testing/scratch.ts';
import { createBatcher } from './batch.ts';
import { encodeTable, type StampedSample } from './codec.ts';
import type { Outbox } from './outbox.ts';
import { NoRoomError, resync } from './resync.ts';

const gatewayId = '018f0000-0000-7000-8000-000000000001';
const [power, energy] = [
  '018f0000-0000-7000-8000-000000000002',
  '018f0000-0000-7000-8000-000000000003',
] as const;
const keys = generateKeyPairSync('ed25519');
const signed = (bytes: Uint8Array) => sign(null, bytes, keys.privateKey);
const table = encodeTable([
  { id: power, unit: 'kW', kind: 'gauge', resolution: 1 },
  { id: energy, unit: 'kWh', kind: 'register', resolution: 0.01 },
]);

/** One message a second, with both points in each; every third sample of the register stands for a quarter hour. */
function fill(outbox: Outbox, seconds: number): void {
  const batcher = createBatcher({
    ...{ gatewayId, outbox, table, sign: signed, now: () => 0, kindOf: () => 'gauge', thinToMs: 1 },
    gaps: { accepted: () => undefined, refuse: () => undefined, refused: () => 0 },
    onAppended: () => undefined,
    onRefused: () => undefined,
  });
  for (let at = 0; at < seconds * 1_000; at += 1_000) {
    const sample = { at, value: at, quality: 'good', suspect: at === 4_000 } as const;
    const both: StampedSample[] = [
      { ...sample, point: 0, boundary: false },
      { ...sample, point: 1, boundary: at % 3_000 === 0 },
    ];
    both.forEach(batcher.add);
    batcher.flush();
  }
}

const deps = (outbox: Outbox) => ({ outbox, gatewayId, sign: signed });

function sent(outbox: Outbox, after: number) {
  return outbox.waiting(after, 1_000).map((seq) => {
    const decoded = decodeEnvelope(outbox.envelope(seq)!);
    if (!decoded.ok) throw new Error(decoded.why);
    const { header, payload, signed: covered, signature } = decoded.envelope;
    expect(verify(null, covered, keys.publicKey, signature)).toBe(true);
    expect(header).toMatchObject({ gatewayId, epoch: outbox.epoch, seq });
    const body = JSON.parse(zstdDecompressSync(payload).toString()) as SampleBatch;
    expect([header.count, header.from]).toEqual([body.p.length, body.t0 + Math.min(...body.dt)]);
    return body;
  });
}

test('what was received goes again under new numbers, by time and by point, marks and all', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  fill(outbox, 10);
  const before = outbox.lastSeq();
  outbox.receive([[1, before]], true, 1);

  const done = resync({ from: 3_000, to: 6_000, points: new Set([energy]) }, deps(outbox));
  expect(done).toEqual({ messages: 3, samples: 3, heldSince: 0 });
  const batches = sent(outbox, before);
  expect(batches.map(({ p, t0, dt, v }) => [p, t0 + dt[0]!, v])).toEqual([
    [[1], 3_000, [3_000]],
    [[1], 4_000, [4_000]],
    [[1], 5_000, [5_000]],
  ]);
  expect(batches.map(({ boundary, suspect, table: hash }) => [boundary, suspect, hash])).toEqual([
    [[0], undefined, table.hash],
    [undefined, [0], table.hash],
    [undefined, undefined, table.hash],
  ]);
  outbox.close();
});

test('what went again before goes only once more', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  fill(outbox, 5);
  for (let round = 0; round < 3; round += 1)
    expect(resync({ from: 0, to: 5_000 }, deps(outbox)).samples).toBe(10);
  outbox.close();
});

test('an outbox that fills up sends nothing again', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  fill(outbox, 2);
  const last = outbox.lastSeq();
  expect(() => resync({ from: 0, to: 9_000 }, deps({ ...outbox, room: () => 'thinned' }))).toThrow(
    NoRoomError,
  );
  expect(outbox.lastSeq()).toBe(last);
  outbox.close();
});

test('copies make no more copies, whenever the messages began', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  fill(outbox, 700); // Readings are remembered for ten minutes.
  for (let round = 0; round < 2; round += 1)
    expect(resync({ from: 500, to: 700_000 }, deps(outbox)).samples).toBe(1_398);
  outbox.close();
});

test('sending again stops when it fills the outbox on its way, and says how far it came', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  fill(outbox, 100);
  let looks = 0;
  const filling = { ...outbox, room: () => (looks++ === 0 ? 'all' : 'thinned') } as const;
  expect(() => resync({ from: 0, to: 100_000 }, deps(filling))).toThrow(/128 readings go again/);
  expect(outbox.state().pending).toBe(1 + 100 + 64);
  outbox.close();
});
