import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { RELEASE_CHUNK_BYTES, ReleaseManifest, SignedText } from '@parkline/contract';
import { Value } from 'typebox/value';

/** First line of a release file; the second is the signed manifest, the rest is the pack. */
export const RELEASE_MAGIC = 'PARKLINE-RELEASE 1\n';

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** What names a release everywhere: the hash of the text that was signed. */
export const releaseId = (signed: SignedText): string => sha256(signed.body);

/** SHA-256 over every file of a bundle, in order of path. Says nothing of when and by whom it was made. */
export const contentHash = (files: ReleaseManifest['files']): string =>
  sha256(files.map(({ path, bytes, sha256: hash }) => `${hash} ${bytes} ${path}\n`).join(''));

export type CheckedRelease =
  { ok: true; manifest: ReleaseManifest } | { ok: false; why: 'signature' | 'unreadable' };

/** Believes a manifest only when one of `keys` signed it and it says of itself what can be checked. Never throws. */
export function readManifest(signed: SignedText, keys: readonly KeyObject[]): CheckedRelease {
  const signature = Buffer.from(signed.sig, 'base64url');
  const isOurs = keys.some((key) => verify(null, Buffer.from(signed.body), key, signature));
  if (!isOurs) return { ok: false, why: 'signature' };
  const manifest = parseManifest(signed.body);
  return manifest ? { ok: true, manifest } : { ok: false, why: 'unreadable' };
}

/** A manifest that is consistent in itself; undefined otherwise. Whether it is genuine is not asked here. */
export function parseManifest(body: string): ReleaseManifest | undefined {
  const value = asJson(body);
  if (!Value.Check(ReleaseManifest, value)) return undefined;
  const { files, pack, contentSha256 } = value;
  const paths = files.map(({ path }) => path);
  const isSorted = paths.every((path, n) => n === 0 || paths[n - 1]! < path);
  const chunks = Math.ceil(pack.bytes / RELEASE_CHUNK_BYTES);
  return isSorted && chunks === pack.chunks.length && contentHash(files) === contentSha256
    ? value
    : undefined;
}

export interface ReleaseFile {
  readonly signed: SignedText;
  readonly pack: Buffer;
}

/** The bytes before the pack: how far into a release file its first chunk begins. */
export const headOf = (signed: SignedText): Buffer =>
  Buffer.from(`${RELEASE_MAGIC}${JSON.stringify({ body: signed.body, sig: signed.sig })}\n`);

/** @throws Error saying what keeps it from being a release file. Nothing is verified yet. */
export function parseReleaseFile(bytes: Buffer): ReleaseFile {
  const magic = Buffer.from(RELEASE_MAGIC);
  const end = bytes.indexOf(0x0a, magic.length);
  if (!bytes.subarray(0, magic.length).equals(magic) || end < 0) throw new Error('this is no release file');
  const signed = asJson(bytes.toString('utf8', magic.length, end));
  if (!Value.Check(SignedText, signed)) throw new Error('the release file has no signed manifest');
  return { signed, pack: bytes.subarray(end + 1) };
}

/** @throws Error when the text holds a key that is not Ed25519, or none. */
export function readPublicKeys(pem: string): KeyObject[] {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  if (blocks.length === 0) throw new Error('no public key (PEM) in it');
  return blocks.map((block) => {
    const key = createPublicKey(block);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${key.asymmetricKeyType} is not Ed25519`);
    return key;
  });
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not JSON: no schema takes it.
  }
}
