import { Value } from 'typebox/value';
import { UplinkHeader } from './uplink.ts';

/**
 * One uplink message: `01 | headLength u16 BE | head JSON | payload (zstd of JSON) | Ed25519 signature, 64 bytes`.
 * The signature covers every byte before it. About 330 bytes around the payload.
 */
export interface Envelope {
  readonly header: UplinkHeader;
  /** Still compressed. */
  readonly payload: Uint8Array;
  /** The bytes that the signature covers. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

export const ENVELOPE_VERSION = 1;
export const SIGNATURE_BYTES = 64;

/** Why bytes are not an envelope; ingest stores it as the reason of quarantine. */
export type EnvelopeFault = 'version' | 'truncated' | 'header';

/** Builds the message. `sign` returns the Ed25519 signature (64 bytes) of its argument. */
export function encodeEnvelope(
  header: UplinkHeader,
  payload: Uint8Array,
  sign: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify(header));
  const signedLength = 3 + head.length + payload.length;
  const bytes = new Uint8Array(signedLength + SIGNATURE_BYTES);
  bytes[0] = ENVELOPE_VERSION;
  new DataView(bytes.buffer).setUint16(1, head.length);
  bytes.set(head, 3);
  bytes.set(payload, 3 + head.length);
  bytes.set(sign(bytes.subarray(0, signedLength)), signedLength);
  return bytes;
}

/** Takes the message apart without trusting it: the caller verifies `signature` over `signed`. Never throws. */
export function decodeEnvelope(
  bytes: Uint8Array,
): { ok: true; envelope: Envelope } | { ok: false; why: EnvelopeFault } {
  if (bytes[0] !== ENVELOPE_VERSION) return { ok: false, why: 'version' };
  if (bytes.length < 3 + SIGNATURE_BYTES) return { ok: false, why: 'truncated' };
  const headLength = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(1);
  const end = bytes.length - SIGNATURE_BYTES;
  if (3 + headLength > end) return { ok: false, why: 'truncated' };
  const header = parseHeader(bytes.subarray(3, 3 + headLength));
  if (!header) return { ok: false, why: 'header' };
  return {
    ok: true,
    envelope: {
      header,
      payload: bytes.subarray(3 + headLength, end),
      signed: bytes.subarray(0, end),
      signature: bytes.subarray(end),
    },
  };
}

function parseHeader(bytes: Uint8Array): UplinkHeader | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return Value.Check(UplinkHeader, value) ? value : undefined;
  } catch {
    return undefined; // Not UTF-8 or not JSON: hostile or torn, the caller quarantines it as "header".
  }
}
