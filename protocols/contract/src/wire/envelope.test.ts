import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope, SIGNATURE_BYTES } from './envelope.ts';
import type { UplinkHeader } from './uplink.ts';

const header: UplinkHeader = {
  gatewayId: '018f4d2e-7c1b-7a00-8000-000000000001',
  epoch: '0123456789abcdef',
  seq: 7,
  kind: 'samples',
  count: 2,
  from: 1_000,
  to: 2_000,
};
const sign = () => new Uint8Array(SIGNATURE_BYTES).fill(9);
const message = () => encodeEnvelope(header, Uint8Array.of(1, 2, 3), sign);

describe('the uplink envelope', () => {
  test('comes back as it went in', () => {
    const decoded = decodeEnvelope(message());
    expect(decoded).toMatchObject({ ok: true, envelope: { header, payload: Uint8Array.of(1, 2, 3) } });
  });

  test('is signed over every byte before the signature', () => {
    let covered = new Uint8Array();
    const bytes = encodeEnvelope(header, Uint8Array.of(1), (part) => {
      covered = Uint8Array.from(part);
      return sign();
    });
    expect(covered).toEqual(bytes.subarray(0, bytes.length - SIGNATURE_BYTES));
  });

  test('survives a view into a larger buffer', () => {
    const bytes = message();
    const padded = new Uint8Array(bytes.length + 10);
    padded.set(bytes, 5);
    expect(decodeEnvelope(padded.subarray(5, 5 + bytes.length))).toMatchObject({
      ok: true,
      envelope: { header },
    });
  });

  test.each([
    ['nothing', new Uint8Array(), 'version'],
    ['another version', Uint8Array.of(2, 0, 0), 'version'],
    ['a torn message', message().subarray(0, 40), 'truncated'],
    ['a head longer than the message', Uint8Array.of(1, 255, 255, ...new Uint8Array(80)), 'truncated'],
    ['a head that is no JSON', Uint8Array.of(1, 0, 1, 123, ...new Uint8Array(64)), 'header'],
    ['a head with a bad field', encodeEnvelope({ ...header, seq: 0 }, new Uint8Array(), sign), 'header'],
  ])('refuses %s', (_what, bytes, why) => {
    expect(decodeEnvelope(bytes)).toEqual({ ok: false, why });
  });

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(300), fc.nat(255), (noise, at, value) => {
        decodeEnvelope(noise);
        const torn = message();
        torn[at % torn.length] = value;
        decodeEnvelope(torn);
      }),
      { numRuns: 2_000, seed: 1 },
    );
  });
});
