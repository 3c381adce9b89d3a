import { spawn } from 'node:child_process';
import { appendFile, chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { BackupError } from './keys.ts';
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
import { type Chain, chainOf, stageWal } from './wal.ts';

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
export async function restore({ store, to, at, foldersTo }: RestoreOptions): Promise<Restored> {
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
    await writeRecovery(to, walFolder, at);
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
  const read = await readSealed(store, piece, tar.stdin).catch((error: unknown) => error);
  // Where both complain, what was wrong with the piece is why tar did not like it; a pipe that broke says nothing.
  if (read instanceof BackupError) throw read;
  if ((await ended) !== 0) throw new BackupError(`${piece.name} cannot be unpacked: ${said.trim()}`);
  if (read !== undefined) throw read;
}

/** Values of postgresql.auto.conf: a quote is doubled. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

async function writeRecovery(to: string, walFolder: string, at: number | undefined): Promise<void> {
  const settings = {
    restore_command: `cp "${walFolder}/%f" "%p"`,
    recovery_target_timeline: 'latest',
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
}

/** Opens every piece and every file of the log, keeping nothing. @throws BackupError at the first that is missing or altered. */
export async function verify(store: Store): Promise<Span[]> {
  const spans: Span[] = [];
  const seen = new Set<string>();
  const nowhere = (): Writable => new Writable({ write: (_bytes, _encoding, done) => done() });
  for (const id of await listBases(store)) {
    const base = await readManifest(store, id);
    for (const { name, sha256 } of base.pieces)
      await readSealed(
        store,
        { file: pieceFile(store, id, name), name: pieceName(id, name), sha256 },
        nowhere(),
      );
    const chain: Chain = await chainOf(store, base, undefined);
    await openAll(store, { ...chain, names: chain.names.filter((name) => !seen.has(name)) }, nowhere);
    for (const name of chain.names) seen.add(name);
    spans.push({ id, from: base.endedAt, until: chain.until });
  }
  if (spans.length === 0) throw new BackupError(`${store.folder} holds no base backup`);
  return spans;
}

async function openAll(store: Store, { names }: Chain, nowhere: () => Writable): Promise<void> {
  for (const name of names)
    await readSealed(store, { file: walFile(store, name), name: walName(name) }, nowhere());
}
