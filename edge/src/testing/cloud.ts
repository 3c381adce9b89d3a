import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Receipt } from '@parkline/contract';

/** A pair of Ed25519 keys. */
export const newKeys = (): { publicKey: KeyObject; privateKey: KeyObject } => generateKeyPairSync('ed25519');

/** A receipt as the cloud sends it, or, with another key or body, as somebody else would. */
export function signedReceipt(receipt: Receipt | string, key: KeyObject): Uint8Array {
  const body = typeof receipt === 'string' ? receipt : JSON.stringify(receipt);
  return Buffer.from(JSON.stringify({ body, sig: sign(null, Buffer.from(body), key).toString('base64url') }));
}
