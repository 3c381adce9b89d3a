import type { Receipt } from '@parkline/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OutboxError, type Received } from '../pipeline/outbox.ts';
import type { Range } from '../pipeline/ranges.ts';
import { newKeys, signedReceipt } from '../testing/cloud.ts';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { checkReceipt, createReceipts, type ReceiptAddress } from './receipts.ts';

const cloud = newKeys();
const stranger = newKeys();
const gatewayId = '018f0000-0000-7000-8000-000000000001';
const epoch = '0123456789abcdef';
const receipt = (over: Partial<Receipt> = {}): Receipt => ({
  ...{ gatewayId, epoch, ranges: [[1, 5]], at: 1_000 },
  ...over,
});
const us: ReceiptAddress = { cloudKey: cloud.publicKey, gatewayId, epoch, lastSeq: 9 };
const tampered = (): Uint8Array => {
  const signed = JSON.parse(Buffer.from(signedReceipt(receipt(), cloud.privateKey)).toString()) as {
    body: string;
  };
  return Buffer.from(JSON.stringify({ ...signed, body: signed.body.replace('[1,5]', '[1,9]') }));
};

describe('a receipt is believed', () => {
  test('when the cloud signed it for this gateway and this outbox', () => {
    const checked = checkReceipt(signedReceipt(receipt(), cloud.privateKey), us);
    expect(checked).toEqual({ ok: true, receipt: receipt() });
  });

  test('also when it is empty: a cloud that lost everything must be able to say so', () => {
    expect(checkReceipt(signedReceipt(receipt({ ranges: [] }), cloud.privateKey), us).ok).toBe(true);
  });
});

describe('a receipt is not believed', () => {
  const byCloud = (over: Partial<Receipt>): Uint8Array => signedReceipt(receipt(over), cloud.privateKey);
  test.each([
    ['signed by a stranger', signedReceipt(receipt(), stranger.privateKey), 'signature'],
    ['changed after signing', tampered(), 'signature'],
    ['unsigned', Buffer.from(JSON.stringify({ body: JSON.stringify(receipt()), sig: '' })), 'signature'],
    ['bare', Buffer.from(JSON.stringify(receipt())), 'unreadable'],
    ['not even JSON', Buffer.from([0xff, 0x00, 0x7b]), 'unreadable'],
    ['empty', new Uint8Array(), 'unreadable'],
    ['of another gateway', byCloud({ gatewayId: gatewayId.replace('1', '2') }), 'gateway'],
    ['of another outbox', byCloud({ epoch: 'fedcba9876543210' }), 'epoch'],
    [
      'with overlapping ranges',
      byCloud({
        ranges: [
          [1, 5],
          [4, 6],
        ],
      }),
      'ranges',
    ],
    ['with messages we never wrote', byCloud({ ranges: [[1, 10]] }), 'ahead'],
    ['of another shape', signedReceipt('{"ranges":"all"}', cloud.privateKey), 'schema'],
    ['signed, but not JSON inside', signedReceipt('all of it', cloud.privateKey), 'schema'],
  ])('%s', (_why, bytes, why) => {
    expect(checkReceipt(bytes, us)).toEqual({ ok: false, why });
  });

  test('whatever the bytes, nothing is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(checkReceipt(bytes, us).ok).toBe(false);
      }),
    );
    fc.assert(
      fc.property(fc.json(), (body) => {
        expect(checkReceipt(signedReceipt(body, cloud.privateKey), us).ok).toBe(false);
      }),
    );
  });
});

describe('taking receipts', () => {
  function given(failWith?: OutboxError) {
    const applied: [ranges: readonly Range[], mayLose: boolean, now: number][] = [];
    const told: Received[] = [];
    const errors: string[] = [];
    const renewed: string[] = [];
    const faults = rememberingFaults();
    const take = createReceipts({
      outbox: {
        epoch,
        lastSeq: () => 9,
        receive(...call) {
          if (failWith) throw failWith;
          applied.push(call);
          return { received: 5, lostFrom: null };
        },
        renew: () => renewed.push('renewed'),
      },
      sign: (bytes) => bytes.subarray(0, 64),
      gatewayId,
      cloudKey: cloud.publicKey,
      now: () => 77,
      log: { error: (_facts: object, message: string) => errors.push(message) } as never,
      faults,
      onReceipt: (_ranges, effect) => told.push(effect),
    });
    return { take, applied, told, errors, renewed, faults };
  }

  test('a good one is applied and told on', () => {
    const { take, applied, told } = given();
    take(signedReceipt(receipt(), cloud.privateKey));
    expect(applied).toEqual([[[[1, 5]], true, 77]]);
    expect(told).toEqual([{ received: 5, lostFrom: null }]);
  });

  test('one that was overtaken on the way adds, but takes nothing back', () => {
    const { take, applied } = given();
    for (const at of [1_000, 999, 1_000, 1_001]) take(signedReceipt(receipt({ at }), cloud.privateKey));
    expect(applied.map(([, mayLose]) => mayLose)).toEqual([true, false, true, true]);
  });

  test('a bad one changes nothing and is logged', () => {
    const { take, applied, faults, errors } = given();
    take(signedReceipt(receipt(), stranger.privateKey));
    expect(applied).toEqual([]);
    expect(faults.lines).toEqual(['fault receipt refused signature']);
    expect(errors).toEqual([]);
  });

  test('one that names what was never written makes everything go again under another name', () => {
    const { take, applied, told, errors, renewed } = given();
    take(signedReceipt(receipt({ ranges: [[1, 99]] }), cloud.privateKey));
    expect([applied, renewed, told]).toEqual([[], ['renewed'], [{ received: 0, lostFrom: 1 }]]);
    expect(errors).toEqual([expect.stringMatching(/older than what the cloud holds: was it restored/)]);
  });

  test('a failing disk costs only this receipt, a damaged file is an end', () => {
    const { take, faults, told } = given(new OutboxError('disk', 'i/o error'));
    take(signedReceipt(receipt(), cloud.privateKey));
    expect([faults.lines, told]).toEqual([['fault receipt could not be written down i/o error'], []]);
    expect(() => {
      given(new OutboxError('corrupt', 'torn page')).take(signedReceipt(receipt(), cloud.privateKey));
    }).toThrow('torn page');
  });
});
