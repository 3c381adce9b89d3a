import { type KeyObject, verify } from 'node:crypto';
import { SignedText } from '@parkline/contract';
import type { Static, TObject, TString } from 'typebox';
import { Value } from 'typebox/value';

/** Why bytes are nothing for us. */
export type SignedFault = 'unreadable' | 'signature' | 'schema' | 'gateway';

export type CheckedText<T> = { ok: true; body: T } | { ok: false; why: SignedFault };

export interface SignedAddress {
  readonly cloudKey: KeyObject;
  readonly gatewayId: string;
}

/** Believes a message only when the cloud signed it for this gateway. Never throws, whatever the bytes. */
export function readSigned<T extends TObject<{ gatewayId: TString }>>(
  schema: T,
  bytes: Uint8Array,
  us: SignedAddress,
): CheckedText<Static<T>> {
  const signed = readJson(Buffer.from(bytes).toString('utf8'));
  if (!Value.Check(SignedText, signed)) return { ok: false, why: 'unreadable' };
  const signature = Buffer.from(signed.sig, 'base64url');
  if (!verify(null, Buffer.from(signed.body), us.cloudKey, signature)) return { ok: false, why: 'signature' };
  const body = readJson(signed.body);
  if (!Value.Check(schema, body)) return { ok: false, why: 'schema' };
  return body.gatewayId === us.gatewayId ? { ok: true, body } : { ok: false, why: 'gateway' };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not JSON: no schema takes it.
  }
}
