import { generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { decodeEnvelope, type GatewayEvent } from '@parkline/contract';
import { expect, test } from 'vitest';
import { openTestOutbox, scratch } from '../testing/scratch.ts';
import { createEventLane } from './events.ts';

const gatewayId = '018f0000-0000-7000-8000-000000000001';
const keys = generateKeyPairSync('ed25519');
const gap: GatewayEvent = {
  ...{ type: 'gap', id: randomUUID(), at: 5_000, from: 1_000, to: 4_000, count: 3 },
  ...{ what: 'gauges', why: 'full' },
};

test('an event is on disk, signed and numbered, when it was added, and the sender is told', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path);
  let told = 0;
  const lane = createEventLane({
    ...{ gatewayId, outbox, onAppended: () => (told += 1) },
    sign: (bytes) => sign(null, bytes, keys.privateKey),
  });
  lane.add(gap);
  outbox.close();

  const again = openTestOutbox(home.path);
  const decoded = decodeEnvelope(again.envelope(1)!);
  if (!decoded.ok) throw new Error(decoded.why);
  const { header, payload, signed, signature } = decoded.envelope;
  expect(verify(null, signed, keys.publicKey, signature)).toBe(true);
  expect(header).toEqual({
    ...{ gatewayId, epoch: again.epoch, seq: 1, kind: 'events', count: 1, from: 5_000, to: 5_000 },
  });
  expect(JSON.parse(zstdDecompressSync(payload).toString())).toEqual({ events: [gap] });
  expect(told).toBe(1);
  again.close();
});

test('a full outbox takes an event all the same', () => {
  using home = scratch();
  const outbox = openTestOutbox(home.path, { maxBytes: 1 });
  expect(outbox.room()).toBe('none');
  createEventLane({
    ...{ gatewayId, outbox, sign: () => new Uint8Array(64), onAppended: () => undefined },
  }).add(gap);
  expect(outbox.waiting(0, 10)).toEqual([1]);
  outbox.close();
});
