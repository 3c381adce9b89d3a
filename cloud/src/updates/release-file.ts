import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { RELEASE_CHUNK_BYTES, ReleaseManifest, SignedText } from '@parkline/contract';
import { Value } from 'typebox/value';

/** A release file as it is kept: what was signed, and the pack in pieces. */
export interface OpenedRelease {
  readonly signed: SignedText;
  readonly manifest: ReleaseManifest;
  readonly manifestSha256: string;
  readonly chunks: readonly Buffer[];
}

export type ReleaseResult =
  | { readonly ok: true; readonly release: OpenedRelease }
  | { readonly ok: false; readonly why: 'no_release' | 'manifest' | 'pack' | 'signature' };

const MAGIC = Buffer.from('PARKLINE-RELEASE 1\n');
const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Opens an uploaded release file and checks that its parts fit each other; with `keys`, also who signed it. What a gateway
 * believes, it decides itself. Pure.
 */
export function openRelease(bytes: Buffer, keys: readonly KeyObject[] | undefined): ReleaseResult {
  const end = bytes.indexOf(0x0a, MAGIC.length);
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC) || end < 0) return { ok: false, why: 'no_release' };
  const signed = asJson(bytes.toString('utf8', MAGIC.length, end));
  if (!Value.Check(SignedText, signed)) return { ok: false, why: 'no_release' };
  const manifest = asJson(signed.body);
  if (!Value.Check(ReleaseManifest, manifest)) return { ok: false, why: 'manifest' };
  const pack = bytes.subarray(end + 1);
  const chunks = chunksOf(pack);
  const fits =
    pack.length === manifest.pack.bytes &&
    sha256(pack) === manifest.pack.sha256 &&
    chunks.length === manifest.pack.chunks.length &&
    chunks.every((chunk, n) => sha256(chunk) === manifest.pack.chunks[n]);
  if (!fits) return { ok: false, why: 'pack' };
  if (keys && !keys.some((key) => isSignedBy(signed, key))) return { ok: false, why: 'signature' };
  return { ok: true, release: { signed, manifest, manifestSha256: sha256(signed.body), chunks } };
}

/** @throws Error when the text holds no Ed25519 public key. */
export function releasePublicKeys(pem: string): KeyObject[] {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  const keys = blocks.map((block) => createPublicKey(block));
  if (keys.length === 0 || keys.some(({ asymmetricKeyType }) => asymmetricKeyType !== 'ed25519'))
    throw new Error('RELEASE_PUBLIC_KEY_FILE must hold Ed25519 public keys (PEM)');
  return keys;
}

const isSignedBy = ({ body, sig }: SignedText, key: KeyObject): boolean =>
  verify(null, Buffer.from(body), key, Buffer.from(sig, 'base64url'));

function chunksOf(pack: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let from = 0; from < pack.length; from += RELEASE_CHUNK_BYTES)
    chunks.push(pack.subarray(from, from + RELEASE_CHUNK_BYTES));
  return chunks;
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not JSON: no schema takes it.
  }
}
