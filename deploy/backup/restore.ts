import { spawn } from 'node:child_process';
import { appendFile, chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { BackupError } from './keys.ts';
import { reading } from './lock.ts';
import {
  listBases,
  type Manifest,
  type Piece,
  pieceFile,
  pieceName,
  readManifest,
  readSealed,
  type Store,
  walFile,
  walName,
} from './store.ts';
import { waysFrom } from './timelines.ts';
import { type Chain, chainAlong, chainOf, stageWal } from './wal.ts';

export interface RestoreOptions {
  readonly store: Store;
  /** Data folder of the new server: not there yet, or empty. */
  readonly to: string;
  /** Unix ms; undefined: as late as the archive reaches. */
  readonly at: number | undefined;
  /** Where the folders that went along are put, each under its name; undefined: not at all. */
  readonly foldersTo: string | undefined;
}

export interface Restored {
  readonly base: Manifest;
  /** Moment up to which the log reaches, Unix ms. */
  readonly until: number;
  /** The opened log, read by the server at its first start; to be deleted after that. */
  readonly walFolder: string;
}

/**
 * Lays out a data folder that replays the log up to the moment asked for at its first start. Everything is opened and
 * proven before that: a backup that is not whole is refused here and not by the server.
 * @throws BackupError; what was laid out by then is removed.
 */
export const restore = (options: RestoreOptions): Promise<Restored> =>
  reading(options.store, () => layOut(options));

async function layOut({ store, to, at, foldersTo }: RestoreOptions): Promise<Restored> {
  const base = await chooseBase(store, at);
  const chain = await chainOf(store, base, at);
  const walFolder = `${to}.wal`;
  const made = await emptyFolders([to, walFolder, ...(foldersTo === undefined ? [] : [foldersTo])]);
  try {
    for (const piece of base.pieces) {
      const folder = piece.name === 'database' ? to : foldersTo && join(foldersTo, piece.name);
      if (folder !== undefined) await unpack(store, base, piece, folder);
    }
    await stageWal(store, chain, walFolder);
    await writeRecovery(to, walFolder, { at, chain, base });
  } catch (error) {
    for (const folder of made) await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return { base, until: chain.until, walFolder };
}

/** The newest base backup that was whole at the moment. */
async function chooseBase(store: Store, at: number | undefined): Promise<Manifest> {
  const ids = await listBases(store);
  for (const id of ids.toReversed()) {
    const manifest = await readManifest(store, id);
    if (at === undefined || manifest.endedAt <= at) return manifest;
  }
  throw new BackupError(
    ids.length === 0
      ? `${store.folder} holds no base backup`
      : 'every base backup is younger than the moment asked for: what was before them is gone',
  );
}

async function emptyFolders(folders: readonly string[]): Promise<readonly string[]> {
  for (const folder of folders) {
    const found = await readdir(folder).catch(() => []);
    if (found.length > 0) throw new BackupError(`${folder} is not empty: nothing is written over`);
  }
  for (const folder of folders) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  }
  return folders;
}

async function unpack(
  store: Store,
  { id }: Manifest,
  { name, sha256 }: Piece,
  folder: string,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const tar = spawn('tar', ['-C', folder, '-xpf', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  tar.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<number | null>((resolve, reject) => {
    tar.once('error', reject).once('close', resolve);
  });
  ended.catch(() => undefined);
  const piece = { file: pieceFile(store, id, name), name: pieceName(id, name), sha256 };
  const read = await readSealed(store, piece, into(tar.stdin)).catch((error: unknown) => error);
  // Where both complain, what was wrong with the piece is why tar did not like it; a pipe that broke says nothing.
  if (read instanceof BackupError) throw read;
  if ((await ended) !== 0) throw new BackupError(`${piece.name} cannot be unpacked: ${said.trim()}`);
  if (read !== undefined) throw read;
}

/**
 * Writes to a program and closes its input at the end. A pipeline that ends in the input itself also waits for its closing to be
 * confirmed, and takes a program that has all it needs and ends before that for one that broke off.
 */
export function into(input: Writable): Writable {
  input.on('error', () => undefined); // Told to whoever wrote as well.
  return new Writable({
    write: (bytes: Buffer, _encoding, done) => void input.write(bytes, done),
    final: (done) => void (input.end(), done()),
    destroy(error, done) {
      if (error) input.destroy();
      done(error);
    },
  });
}

/** Values of postgresql.auto.conf: a quote is doubled. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

async function writeRecovery(
  to: string,
  walFolder: string,
  { at, chain, base }: { at: number | undefined; chain: Chain; base: Manifest },
): Promise<void> {
  const settings = {
    restore_command: `cp "${walFolder}/%f" "%p"`,
    // Not the newest where the moment lies on one that was left. Its own may have no history in this archive.
    recovery_target_timeline: chain.timeline === base.timeline ? 'current' : String(chain.timeline),
    // Said also when it is none: the server that was backed up may have been restored itself.
    recovery_target_time: at === undefined ? '' : new Date(at).toISOString().replace('Z', '+00'),
    recovery_target_action: 'promote',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${quoted(value)}\n`);
  await appendFile(join(to, 'postgresql.auto.conf'), lines.join(''));
  await writeFile(join(to, 'recovery.signal'), '');
}

/** What a whole store offers. */
export interface Span {
  readonly id: string;
  /** From here to there every second can be restored, Unix ms. */
  readonly from: number;
  readonly until: number;
  /** Set when the park went on from an earlier moment of it: the timeline that a restore left behind. */
  readonly left?: number;
}

/** Opens every piece and every file of the log, keeping nothing. @throws BackupError at the first that is missing or altered. */
export const verify = (store: Store): Promise<Span[]> => reading(store, () => verifyAll(store));

async function verifyAll(store: Store): Promise<Span[]> {
  const spans: Span[] = [];
  const seen = new Set<string>();
  for (const id of await listBases(store)) {
    const base = await readManifest(store, id);
    for (const { name, sha256 } of base.pieces)
      await readSealed(
        store,
        { file: pieceFile(store, id, name), name: pieceName(id, name), sha256 },
        nowhere(),
      );
    const ways = await waysFrom(store, base);
    for (const way of ways) {
      const { names, until } = await chainAlong(store, base, way, undefined);
      await openAll(
        store,
        names.filter((name) => !seen.has(name)),
      );
      for (const name of names) seen.add(name);
      const left = way === ways.at(-1) ? {} : { left: way.timeline };
      // Of a timeline that was begun just now, nothing is archived yet.
      if (way.begunAt <= until) spans.push({ id, from: way.begunAt, until, ...left });
    }
  }
  if (spans.length === 0) throw new BackupError(`${store.folder} holds no base backup`);
  return spans;
}

const nowhere = (): Writable => new Writable({ write: (_bytes, _encoding, done) => done() });

async function openAll(store: Store, names: readonly string[]): Promise<void> {
  for (const name of names)
    await readSealed(store, { file: walFile(store, name), name: walName(name) }, nowhere());
}
