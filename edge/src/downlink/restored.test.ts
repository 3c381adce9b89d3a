import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeEnvelope, encodeEnvelope, type Receipt, type UplinkHeader } from '@parkline/contract';
import { expect, test } from 'vitest';
import type { Outbox } from '../pipeline/outbox.ts';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { openTestOutbox, scratch } from '../testing/scratch.ts';
import { createReceipts } from './receipts.ts';

const gatewayId = '018f0000-0000-7000-8000-000000000001';
const gateway = generateKeyPairSync('ed25519');
const cloud = generateKeyPairSync('ed25519');
const signed = (bytes: Uint8Array) => sign(null, bytes, gateway.privateKey);

function tell(outbox: Outbox, text: string, kind: 'samples' | 'points' = 'samples'): void {
  const known = { gatewayId, kind, count: 1, from: 1, to: 1 };
  const seal = (epoch: string, seq: number) =>
    encodeEnvelope({ ...known, epoch, seq } as UplinkHeader, Buffer.from(text), signed);
  outbox.append({ kind, from: 1, to: 1, seal });
}

function told(outbox: Outbox): string[] {
  return outbox.waiting(0, 100).map((seq) => {
    const decoded = decodeEnvelope(outbox.envelope(seq)!);
    if (!decoded.ok) throw new Error(decoded.why);
    const { header, payload, signed: covered, signature } = decoded.envelope;
    expect(verify(null, covered, gateway.publicKey, signature)).toBe(true);
    expect(header).toMatchObject({ epoch: outbox.epoch, seq });
    return Buffer.from(payload).toString();
  });
}

function receiptsOf(outbox: Outbox) {
  const take = createReceipts({
    ...{ outbox, gatewayId, cloudKey: cloud.publicKey, sign: signed, now: () => 1 },
    ...{ log: { error: () => undefined } as never, faults: rememberingFaults(), onReceipt: () => undefined },
  });
  return (epoch: string, last: number): void => {
    const receipt: Receipt = { gatewayId, epoch, ranges: [[1, last]], at: 1 };
    const body = JSON.stringify(receipt);
    const sig = sign(null, Buffer.from(body), cloud.privateKey).toString('base64url');
    take(Buffer.from(JSON.stringify({ body, sig })));
  };
}

test('what a restored outbox takes in under numbers that were used before reaches the cloud under another name', () => {
  using home = scratch();
  const copy = join(home.path, 'copy.sqlite');
  const first = openTestOutbox(home.path);
  tell(first, 'table', 'points');
  tell(first, 'a');
  receiptsOf(first)(first.epoch, 2);
  tell(first, 'b');
  first.close();
  copyFileSync(join(home.path, 'outbox.sqlite'), copy);
  const second = openTestOutbox(home.path);
  for (const text of ['c', 'd', 'e']) tell(second, text);
  const { epoch } = second;
  second.close();

  const restored = openTestOutbox(home.path, { path: copy });
  const visitor = openTestOutbox(home.path, { path: copy });
  tell(restored, 'new');
  receiptsOf(restored)(epoch, 6);
  expect(restored.epoch).not.toBe(epoch);
  tell(visitor, 'again'); // Another process has the file open all the while.
  expect(told(restored)).toEqual(['table', 'b', 'new', 'again']);

  receiptsOf(restored)(epoch, 6);
  expect(restored.state().pending).toBe(4);
  receiptsOf(restored)(restored.epoch, restored.lastSeq());
  expect(restored.state().pending).toBe(0);
  restored.close();
  visitor.close();
});
