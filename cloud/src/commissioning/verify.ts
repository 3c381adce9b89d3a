import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { ReportProof, SignedReport } from '@parkline/contract';
import { Value } from 'typebox/value';
import { canonicalJson } from './canonical.ts';

export type VerifiedReport =
  | { readonly ok: true; readonly proof: ReportProof; readonly fingerprint: string }
  | { readonly ok: false; readonly why: 'unreadable' | 'key' | 'signature' | 'pdf' };

/** SHA-256 of a public key (SPKI DER), hex: what people compare. */
export const fingerprintOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');

/**
 * Checks a report file: who sealed it, that the text is as it was sealed, and that the paper is the one it names. Pure.
 * @param trusted Key of the cloud, where it is known; without it the file's own key is only told by its fingerprint.
 */
export function verifyReport(text: string, trusted?: KeyObject): VerifiedReport {
  const file = asJson(text);
  if (!Value.Check(SignedReport, file)) return { ok: false, why: 'unreadable' };
  const key = keyOf(file.publicKey);
  const proof = asJson(file.body);
  if (!key || !Value.Check(ReportProof, proof) || canonicalJson(proof) !== file.body)
    return { ok: false, why: 'unreadable' };
  if (trusted && fingerprintOf(trusted) !== fingerprintOf(key)) return { ok: false, why: 'key' };
  if (!verify(null, Buffer.from(file.body), key, Buffer.from(file.sig, 'base64url')))
    return { ok: false, why: 'signature' };
  const hash = createHash('sha256').update(Buffer.from(file.pdf, 'base64')).digest('hex');
  if (hash !== proof.pdfSha256) return { ok: false, why: 'pdf' };
  return { ok: true, proof, fingerprint: fingerprintOf(key) };
}

function keyOf(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined; // Whatever it is, it is no key.
  }
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not JSON: no schema takes it.
  }
}
