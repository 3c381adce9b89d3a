import { createHash, createPublicKey, type KeyObject, randomBytes, verify } from 'node:crypto';
import { fromPublic } from '@nats-io/nkeys';
import { formatClaimCode, type GatewayKeys, type KeyProofs, readClaimCode } from '@parkline/contract';

/** A code as it is shown once. */
export const newClaimCode = (): string => formatClaimCode(randomBytes(19));

/** What is kept of a code; undefined when it is mistyped. */
export function claimCodeHash(typed: string): Buffer | undefined {
  const code = readClaimCode(typed);
  return code === undefined ? undefined : sha256(code);
}

export const sha256 = (text: string | Buffer): Buffer => createHash('sha256').update(text).digest();

/** What people compare: SHA-256 of the SPKI of a key, base64. @throws Error on what is no public key. */
export const keyFingerprint = (pem: string): string =>
  sha256(createPublicKey(pem).export({ type: 'spki', format: 'der' })).toString('base64');

/** The same key written in the one way we write it. */
export interface CheckedKeys extends GatewayKeys {
  readonly objects: { readonly signing: KeyObject; readonly tls: KeyObject };
}

/** Keys that a gateway may have: Ed25519 for signing, P-256 for TLS. Undefined for all else. Never throws. */
export function checkKeys(keys: GatewayKeys): CheckedKeys | undefined {
  const signing = publicKey(keys.signing);
  const tls = publicKey(keys.tls);
  if (signing?.asymmetricKeyType !== 'ed25519') return undefined;
  if (tls?.asymmetricKeyType !== 'ec' || tls.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    return undefined;
  return { signing: pemOf(signing), nkey: keys.nkey, tls: pemOf(tls), objects: { signing, tls } };
}

/** Whether whoever sent `proofs` holds the private half of each of the three keys. Never throws. */
export function provesKeys({ objects, nkey }: CheckedKeys, proofs: KeyProofs, text: string): boolean {
  const data = Buffer.from(text);
  const bytes = (signature: string): Buffer => Buffer.from(signature, 'base64url');
  try {
    return (
      verify(null, data, objects.signing, bytes(proofs.signing)) &&
      verify('sha256', data, { key: objects.tls, dsaEncoding: 'ieee-p1363' }, bytes(proofs.tls)) &&
      fromPublic(nkey).verify(data, bytes(proofs.nkey))
    );
  } catch {
    return false; // An nkey whose checksum is wrong, or a signature of another length.
  }
}

function publicKey(pem: string): KeyObject | undefined {
  try {
    return createPublicKey({ key: pem, format: 'pem', type: 'spki' });
  } catch {
    return undefined; // No key: the caller says so.
  }
}

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
