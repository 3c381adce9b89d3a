import { createHash, type KeyObject, sign } from 'node:crypto';
import { RELEASE_CHUNK_BYTES, type ReleaseManifest } from '@parkline/contract';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** A release file as the makers of releases write it. Its pack is `pack`: what it unpacks to is the business of gateways. */
export function givenReleaseFile(key: KeyObject, version: string, pack: Buffer): Buffer {
  const chunks: string[] = [];
  for (let from = 0; from < pack.length; from += RELEASE_CHUNK_BYTES)
    chunks.push(sha256(pack.subarray(from, from + RELEASE_CHUNK_BYTES)));
  const file = { path: 'lib/main.js', bytes: pack.length, sha256: sha256(pack) };
  const manifest: ReleaseManifest = {
    ...{ format: 1, product: 'parkline-gateway', version, platforms: ['linux-x64'], minNode: '24.0.0' },
    ...{ predecessor: { min: null, max: null }, downgradeFrom: [], madeAt: 1_000, files: [file] },
    contentSha256: sha256(`${file.sha256} ${file.bytes} ${file.path}\n`),
    pack: { bytes: pack.length, sha256: sha256(pack), chunks },
  };
  const body = JSON.stringify(manifest);
  const sig = sign(null, Buffer.from(body), key).toString('base64url');
  return Buffer.concat([Buffer.from(`PARKLINE-RELEASE 1\n${JSON.stringify({ body, sig })}\n`), pack]);
}
