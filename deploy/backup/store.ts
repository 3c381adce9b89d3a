import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { BackupError, type BackupKey } from './keys.ts';
import { HEAD_BYTES, type Head, readHead, seal, unseal } from './sealed.ts';

/** The folder of backups. All in it is sealed but manifests, which are proven and hold no secret. */
export interface Store {
  readonly folder: string;
  readonly keys: readonly BackupKey[];
}

/** One sealed file of a base backup. */
export interface Piece {
  /** 'database', or the name that a folder was given. */
  readonly name: string;
  readonly bytes: number;
  /** Of the sealed file, hex. */
  readonly sha256: string;
}

/** What a base backup is, `manifest.json` in its folder. Times are Unix ms. */
export interface Manifest {
  readonly format: 1;
  /** Name of its folder: when it began, `20261123T030000Z`. */
  readonly id: string;
  readonly beganAt: number;
  /** From this moment on a restore may be asked for. */
  readonly endedAt: number;
  readonly serverVersion: string;
  readonly systemIdentifier: string;
  readonly walSegmentBytes: number;
  /** Libraries that the server loaded at its start (`shared_preload_libraries`): without them it does not read the database. */
  readonly preload: string;
  readonly timeline: number;
  /** Where replay begins, as PostgreSQL writes it (`0/2000028`). */
  readonly startLsn: string;
  readonly endLsn: string;
  readonly pieces: readonly Piece[];
}

export const baseFolder = (store: Store, id: string): string => join(store.folder, 'base', id);
export const pieceFile = (store: Store, id: string, piece: string): string =>
  join(baseFolder(store, id), `${piece}.zst.sealed`);
export const pieceName = (id: string, piece: string): string => `base/${id}/${piece}`;
export const walFile = (store: Store, segment: string): string =>
  join(store.folder, 'wal', `${segment}.zst.sealed`);
export const walName = (segment: string): string => `wal/${segment}`;

/** Compresses, seals and writes `source` to `file`, on the disk when this returns. @returns size and hash of the file. */
export async function writeSealed(
  source: AsyncIterable<Buffer>,
  { keys }: Store,
  { file, name, at }: { file: string; name: string; at: number },
): Promise<{ bytes: number; sha256: string }> {
  const counter = counting();
  await pipeline(
    source,
    createZstdCompress(),
    (plain: AsyncIterable<Buffer>) => seal(plain, keys[0]!, name, at),
    counter.pass,
    createWriteStream(file, { mode: 0o600, flags: 'wx', flush: true }),
  );
  return counter.result();
}

/** Size and SHA-256 of the bytes that go through. */
function counting() {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* pass(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const part of source) {
      hash.update(part);
      bytes += part.length;
      yield part;
    }
  }
  return { pass, result: () => ({ bytes, sha256: hash.digest('hex') }) };
}

/** Opens a sealed file into `sink`. @throws BackupError naming what is wrong with it. */
export async function readSealed(
  { keys }: Store,
  { file, name, sha256 }: { file: string; name: string; sha256?: string },
  sink: NodeJS.WritableStream,
): Promise<void> {
  const counter = counting();
  try {
    await pipeline(
      createReadStream(file),
      counter.pass,
      (sealed: AsyncIterable<Buffer>) => unseal(sealed, keys, name),
      createZstdDecompress(),
      sink,
    );
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new BackupError(`${file} is missing`, { cause });
  }
  if (sha256 !== undefined && counter.result().sha256 !== sha256)
    throw new BackupError(`${name} is another file than the one that its manifest names`);
}

/** A small sealed file as text. @throws BackupError as `readSealed`. */
export async function readSealedText(store: Store, sealed: { file: string; name: string }): Promise<string> {
  const parts: Buffer[] = [];
  const sink = new Writable({ write: (bytes: Buffer, _encoding, done) => (parts.push(bytes), done()) });
  await readSealed(store, sealed, sink);
  return Buffer.concat(parts).toString('utf8');
}

/** What a sealed file says of itself. @throws BackupError when it is missing or no sealed file. */
export async function headOf(file: string, name: string): Promise<Head> {
  const handle = await open(file).catch((cause: unknown) => {
    throw new BackupError(`${file} is missing`, { cause });
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return readHead(buffer.subarray(0, bytesRead), name);
  } finally {
    await handle.close();
  }
}

/** Writes `text` to a new file, on the disk and under its name in one step. */
export async function publish(draft: string, file: string): Promise<void> {
  await link(draft, file); // Unlike a rename it replaces nothing.
  await rm(draft);
  await syncFolder(dirname(file));
}

/** A name is on the disk only when its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const proofOf = (body: string, { key }: BackupKey): Buffer =>
  createHmac('sha256', Buffer.from(hkdfSync('sha256', key, '', 'manifest', 32)))
    .update(body)
    .digest();

/** Closes a base backup: with its manifest it counts. */
export async function writeManifest(store: Store, draft: string, manifest: Manifest): Promise<void> {
  const body = JSON.stringify(manifest);
  const key = store.keys[0]!;
  const proof = { keyId: key.id, hmacSha256: proofOf(body, key).toString('hex') };
  const file = join(draft, 'manifest.json');
  await writeFile(file, `${JSON.stringify({ body, ...proof }, null, 2)}\n`, { mode: 0o600, flush: true });
  await syncFolder(draft);
  await rename(draft, baseFolder(store, manifest.id));
  await syncFolder(join(store.folder, 'base'));
}

/** @throws BackupError when it is missing, was altered, or was made with a key that is not there. */
export async function readManifest({ folder, keys }: Store, id: string): Promise<Manifest> {
  const name = `base/${id}/manifest.json`;
  const text = await readFile(join(folder, name), 'utf8').catch((cause: unknown) => {
    throw new BackupError(`${name} is missing`, { cause });
  });
  const { body, keyId, hmacSha256 } = parseManifest(text, name);
  const key = keys.find((one) => one.id === keyId);
  if (!key) throw new BackupError(`${name} was made with the key ${keyId}, which is not in the key file`);
  const proof = Buffer.from(hmacSha256, 'hex');
  const wanted = proofOf(body, key);
  if (proof.length !== wanted.length || !timingSafeEqual(proof, wanted))
    throw new BackupError(`${name} was altered, or its key is another one of the same name`);
  return JSON.parse(body) as Manifest;
}

function parseManifest(text: string, name: string): { body: string; keyId: string; hmacSha256: string } {
  try {
    const { body, keyId, hmacSha256 } = JSON.parse(text) as Record<string, unknown>;
    return { body: String(body), keyId: String(keyId), hmacSha256: String(hmacSha256) };
  } catch (cause) {
    throw new BackupError(`${name} is no manifest: it was altered`, { cause });
  }
}

/** Ids of the base backups that were finished, oldest first. */
export async function listBases({ folder }: Store): Promise<string[]> {
  const names = await readdir(join(folder, 'base')).catch(() => []);
  return names.filter((name) => /^\d{8}T\d{6}Z$/.test(name)).sort();
}

/** Names of the archived files of the log, in order. */
export async function listWal({ folder }: Store): Promise<string[]> {
  const names = await readdir(join(folder, 'wal')).catch(() => []);
  return names.flatMap((name) => /^([0-9A-F.a-z]+)\.zst\.sealed$/.exec(name)?.[1] ?? []).sort();
}

/** Makes the folders of a store. @throws BackupError when other users may enter it. */
export async function openStore(folder: string, keys: readonly BackupKey[]): Promise<Store> {
  for (const part of ['base', 'wal']) await mkdir(join(folder, part), { recursive: true, mode: 0o700 });
  if (((await stat(folder)).mode & 0o007) !== 0)
    throw new BackupError(`${folder} may be entered by every user: chmod 700 ${folder}`);
  return { folder, keys };
}
