import { sign, type KeyObject } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { RELEASE_CHUNK_BYTES, type ReleaseManifest, type SignedText } from '@parkline/contract';
import { syncFolder, writeSynced } from './files.ts';
import { contentHash, headOf, sha256 } from './release-file.ts';

/** What a maker says of a release, beside what follows from its files. */
export type ReleaseFacts = Pick<
  ReleaseManifest,
  'version' | 'platforms' | 'minNode' | 'predecessor' | 'downgradeFrom' | 'madeAt'
>;

/** Every file of a folder as a manifest lists it, in order of path. */
export function listFiles(folder: string): ReleaseManifest['files'] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort((a, b) => (a < b ? -1 : 1))
    .map((path) => {
      const content = readFileSync(join(folder, path));
      return { path, bytes: content.length, sha256: sha256(content) };
    });
}

/** Makes the release file of a bundle. The same folder, facts and key give the same bytes. */
export function packRelease(folder: string, facts: ReleaseFacts, key: KeyObject): Buffer {
  const files = listFiles(folder);
  const content = Buffer.concat(files.map(({ path }) => readFileSync(join(folder, path))));
  const pack = zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: 12 } });
  const manifest: ReleaseManifest = {
    ...{ format: 1, product: 'parkline-gateway', ...facts },
    contentSha256: contentHash(files),
    files,
    pack: { bytes: pack.length, sha256: sha256(pack), chunks: chunksOf(pack).map(sha256) },
  };
  const body = JSON.stringify(manifest);
  const signed: SignedText = { body, sig: sign(null, Buffer.from(body), key).toString('base64url') };
  return Buffer.concat([headOf(signed), pack]);
}

export function chunksOf(pack: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let from = 0; from < pack.length; from += RELEASE_CHUNK_BYTES)
    chunks.push(pack.subarray(from, from + RELEASE_CHUNK_BYTES));
  return chunks;
}

/**
 * Writes every file of a release below `folder`, each checked against the manifest before it is written, and all of it on the
 * disk when this returns. @throws Error when a byte differs from what was signed; of the file system.
 */
export function unpackRelease(
  pack: Buffer,
  { files, pack: packed }: ReleaseManifest,
  folder: string,
  onFile: () => void = () => undefined,
): void {
  if (pack.length !== packed.bytes || sha256(pack) !== packed.sha256)
    throw new Error('the pack is not the one that was signed');
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const content = zstdDecompressSync(pack, { maxOutputLength: Math.max(1, total) });
  const folders = new Set<string>();
  let from = 0;
  for (const { path, bytes, sha256: hash } of files) {
    const part = content.subarray(from, from + bytes);
    from += bytes;
    if (sha256(part) !== hash) throw new Error(`${path} is not the file that was signed`);
    const to = join(folder, path);
    mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
    writeSynced(to, part);
    for (let at = dirname(to); at.length >= folder.length; at = dirname(at)) folders.add(at);
    onFile();
  }
  if (from !== content.length) throw new Error('the pack holds more than was signed');
  folders.forEach(syncFolder);
}

/** Whether a folder holds exactly the files of a manifest, whole. */
export function isWhole(folder: string, { files }: Pick<ReleaseManifest, 'files'>): boolean {
  try {
    const found = new Map(listFiles(folder).map((file) => [file.path, file]));
    return files.every(({ path, bytes, sha256: hash }) => {
      const file = found.get(path);
      return file?.bytes === bytes && file.sha256 === hash;
    });
  } catch {
    return false; // No such folder.
  }
}
