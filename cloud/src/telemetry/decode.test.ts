import { createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { encodeEnvelope } from '@parkline/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openMessage, toRows } from './decode.ts';
import { createSender, type TestGateway } from './testing.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const points = [
  { id: randomUUID(), num: 7, kind: 'gauge', resolution: 1, unit: 'kW' },
  { id: randomUUID(), num: 9, kind: 'register', resolution: 0.01, unit: 'kWh' },
] as const;
const gateway: TestGateway = {
  id: randomUUID(),
  key: 'gw',
  accountId: randomUUID(),
  buildingId: randomUUID(),
  privateKey,
  points,
  meters: [],
};
const table = { nums: Int32Array.from([7, 9]), points: [...points] };
const now = Date.UTC(2026, 10, 22);

test('gives back what was sent', () => {
  const samples = fc.array(
    fc.tuple(
      fc.constant(0),
      fc.integer({ min: now - 86_400_000, max: now }),
      fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    ),
    { minLength: 1, maxLength: 50 },
  );
  fc.assert(
    fc.property(samples, (sent) => {
      const opened = openMessage(createSender(gateway).samples(sent), gateway.id, [publicKey]);
      if (!opened.ok || opened.content.kind !== 'samples') throw new Error('not read');
      const resolved = toRows(opened.content.batch, table, now);
      if (!resolved.ok) throw new Error(resolved.detail);
      const { rows } = resolved;
      const got = sent.map((_, i) => [rows.at[i], Number.isNaN(rows.value[i]) ? null : rows.value[i]! + 0]);
      // JSON has one zero.
      expect(got).toEqual(sent.map(([, at, value]) => [at, value === null ? null : value + 0]));
      expect([...rows.num]).toEqual(sent.map(() => 7));
    }),
  );
});

test('never throws and never believes a message of which one bit was changed', () => {
  const message = createSender(gateway).samples([
    [0, now, 1],
    [1, now, 2],
  ]);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: message.length * 8 - 1 }), (bit) => {
      const bytes = Uint8Array.from(message);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(openMessage(bytes, gateway.id, [publicKey]).ok).toBe(false);
    }),
  );
});

test('never throws on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(openMessage(bytes, gateway.id, [publicKey]).ok).toBe(false);
      expect(openMessage(Uint8Array.from([1, 0, 2, ...bytes]), gateway.id, 'proven').ok).toBe(false);
    }),
  );
});

test('proves an author by any key object that stands for the same key', () => {
  const bytes = createSender(gateway).points();
  expect(openMessage(bytes, gateway.id, [createPublicKey(privateKey)])).toMatchObject({ ok: true });
  expect(openMessage(bytes, gateway.id, undefined)).toEqual({ ok: false, why: 'gateway' });
});

test('refuses a wrongly packed message that unpacks to more than the limit without unpacking it', () => {
  const zeros = zstdCompressSync(Buffer.alloc(64 * 1024 * 1024));
  const header = { gatewayId: gateway.id, epoch: '0'.repeat(16), seq: 1, from: 0, to: 0 };
  const bytes = encodeEnvelope({ ...header, kind: 'samples', count: 1 }, zeros, (signed) =>
    sign(null, signed, privateKey),
  );
  expect(openMessage(bytes, gateway.id, [publicKey])).toMatchObject({
    ...{ ok: false, why: 'bomb', header: { seq: 1 } },
  });
});
