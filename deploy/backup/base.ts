import { spawn } from 'node:child_process';
import { mkdir, readdir, realpath, rm, stat } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { Client } from 'pg';
import { BackupError } from './keys.ts';
import { takeLock } from './lock.ts';
import {
  baseFolder,
  listBases,
  type Manifest,
  type Piece,
  pieceName,
  readManifest,
  type Store,
  writeManifest,
  writeSealed,
} from './store.ts';
import { pruneWal } from './wal.ts';

/** What a base backup is made of. */
export interface BaseOptions {
  readonly store: Store;
  /** Of a login that may replicate. Its password is in no argument of a program. */
  readonly databaseUrl: string;
  /** Folders that go along: name -> path. Keys, account JWTs. */
  readonly folders: ReadonlyMap<string, string>;
  /** The key file, which none of the folders may hold: a backup that brings its key along is not sealed. */
  readonly keyFile: string;
  /** Path of pg_basebackup. */
  readonly program: string;
  /** Told what it warns of while it runs: that it waits for a log which is not archived, for one. */
  readonly warn: (text: string) => void;
  /** Unix ms. */
  readonly now: () => number;
}

/**
 * Makes a base backup of a running server and of the folders that go with it, as the only one (`alone`). It counts once its manifest
 * is there; what a backup that was cut short left is removed by the next. @throws BackupError when the server archives nothing, or a program fails.
 */
export async function makeBase(options: BaseOptions): Promise<Manifest> {
  const { store, folders, now } = options;
  for (const [name, path] of folders) await assertFolder(name, path, options.keyFile);
  const server = await serverFacts(options.databaseUrl);
  const beganAt = now();
  const id = new Date(beganAt).toISOString().replace(/[-:]|\.\d+/g, '');
  const draft = `${baseFolder(store, id)}.part`;
  for (const name of await readdir(join(store.folder, 'base')))
    if (name.endsWith('.part')) await rm(join(store.folder, 'base', name), { recursive: true });
  await mkdir(draft, { mode: 0o700 });
  try {
    const made = await writePieces(options, { id, draft, beganAt });
    const manifest = { format: 1, id, beganAt, endedAt: now(), ...server, ...made } as const;
    await writeManifest(store, draft, manifest);
    return manifest;
  } catch (error) {
    // Where the disk is full, the archive of the log needs the room at once.
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function writePieces(
  { store, databaseUrl, folders, program, warn }: BaseOptions,
  { id, draft, beganAt }: { id: string; draft: string; beganAt: number },
): Promise<Pick<Manifest, 'timeline' | 'startLsn' | 'endLsn' | 'pieces'>> {
  const write = async (name: string, source: AsyncIterable<Buffer>): Promise<Piece> => {
    const file = join(draft, `${name}.zst.sealed`);
    return { name, ...(await writeSealed(source, store, { file, name: pieceName(id, name), at: beganAt })) };
  };
  const database = startBase(program, databaseUrl, warn);
  const { bytes, tail } = withTail(database.output);
  const pieces = [await write('database', bytes)];
  await database.ended;
  const span = spanOf(tail());
  for (const [name, path] of folders) {
    const tar = startProgram('tar', ['-C', path, '-cf', '-', '.']);
    pieces.push(await write(name, tar.output));
    await tar.ended;
  }
  return { ...span, pieces };
}

async function assertFolder(name: string, path: string, keyFile: string): Promise<void> {
  if ((await stat(path).catch(() => undefined))?.isDirectory() !== true)
    throw new BackupError(`the folder ${name}, ${path}, is not there`);
  const inside = relative(await realpath(path), await realpath(keyFile));
  if (!inside.startsWith('..') && !isAbsolute(inside))
    throw new BackupError(
      `the folder ${name}, ${path}, holds the key of the backups: keep it elsewhere, a backup must not bring its key along`,
    );
}

type ServerFacts = Pick<Manifest, 'serverVersion' | 'systemIdentifier' | 'walSegmentBytes' | 'preload'>;

async function serverFacts(url: string): Promise<ServerFacts> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    const { rows } = await client.query<ServerFacts & { archives: boolean; fails: boolean }>(
      `select current_setting('server_version') as "serverVersion",
         (select system_identifier::text from pg_control_system()) as "systemIdentifier",
         current_setting('shared_preload_libraries') as preload,
         pg_size_bytes(current_setting('wal_segment_size'))::int as "walSegmentBytes",
         current_setting('archive_mode') <> 'off' and current_setting('archive_command') <> '' as archives,
         (select coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) from pg_stat_archiver) as fails`,
    );
    const { archives, fails, ...facts } = rows[0]!;
    if (!archives)
      throw new BackupError(
        'the server archives no log: set archive_mode and archive_command, a base backup alone restores nothing',
      );
    if (fails)
      throw new BackupError('the server fails to archive its log: its own log says why; mend that first');
    return facts;
  } catch (cause) {
    if (cause instanceof BackupError) throw cause;
    const why = (cause as Error).message;
    throw new BackupError(
      `the server could not be asked (${why}): the login needs replication, and to be a member of pg_monitor`,
      { cause },
    );
  } finally {
    await client.end();
  }
}

interface Running {
  readonly output: Readable;
  /** Its standard error, as text. */
  readonly said: Readable;
  /** Resolves once the program ended well. @throws BackupError */
  readonly ended: Promise<void>;
}

/** Both ways to write a password into an address (libpq, "Connection URIs"); the one behind the question mark counts there. */
export function withoutPassword(databaseUrl: string): { readonly url: string; readonly password: string } {
  const url = new URL(databaseUrl);
  const password = url.searchParams.get('password') ?? decodeURIComponent(url.password);
  url.password = '';
  url.searchParams.delete('password');
  return { url: url.href, password };
}

function startBase(program: string, databaseUrl: string, warn: (text: string) => void): Running {
  const { url, password } = withoutPassword(databaseUrl);
  // Without the log: the server waits until what this needs of it is in the archive.
  const args = ['-d', url, '-D', '-', '-Ft', '-X', 'none', '-c', 'fast'];
  const running = startProgram(program, [...args, '--no-password'], { PGPASSWORD: password });
  running.said.on('data', (text: string) => {
    if (/\b(WARNING|HINT):/.test(text)) warn(text.trim());
  });
  return running;
}

function startProgram(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], LC_ALL: 'C', ...env },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => reject(new BackupError(`${file} cannot be run`, { cause })));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new BackupError(`${file} failed: ${said.trim().split('\n').slice(-3).join('; ')}`));
    });
  });
  ended.catch(() => undefined); // Looked at once the output was taken.
  return { output: child.stdout, said: child.stderr, ended };
}

/** More than what stands behind the range of the log in PostgreSQL's own manifest, which ends the archive. */
const TAIL_BYTES = 65_536;

/** The same bytes, and the last of them once they went by. */
function withTail(source: AsyncIterable<Buffer>): { bytes: AsyncIterable<Buffer>; tail: () => string } {
  let tail = Buffer.alloc(0);
  async function* bytes(): AsyncGenerator<Buffer, void, undefined> {
    for await (const part of source) {
      tail = Buffer.concat([tail, part.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
      yield part;
    }
  }
  return { bytes: bytes(), tail: () => tail.toString('latin1') };
}

/** Where replay begins and where the backup is whole: `WAL-Ranges` of PostgreSQL's backup manifest. */
function spanOf(tail: string): Pick<Manifest, 'timeline' | 'startLsn' | 'endLsn'> {
  const range =
    /"WAL-Ranges": \[\s*\{ "Timeline": (\d+), "Start-LSN": "([0-9A-F/]+)", "End-LSN": "([0-9A-F/]+)" \}/;
  const [, timeline, startLsn, endLsn] = range.exec(tail) ?? [];
  if (startLsn === undefined || endLsn === undefined)
    throw new BackupError('pg_basebackup did not say which part of the log its backup needs');
  return { timeline: Number(timeline), startLsn, endLsn };
}

/**
 * Deletes all base backups but the newest `keep`, and the log before them. @returns what went; undefined when somebody reads: then
 * everything stays until the next time.
 */
export async function prune(
  store: Store,
  keep: number,
): Promise<{ bases: string[]; walFiles: number } | undefined> {
  const ids = await listBases(store);
  const bases = ids.slice(0, Math.max(0, ids.length - keep));
  // Whoever cannot read what stays deletes nothing.
  const kept = await Promise.all(ids.slice(bases.length).map((id) => readManifest(store, id)));
  if (kept.length === 0) return { bases: [], walFiles: 0 };
  const lock = await takeLock(store, 'read', 'alone');
  if (lock === undefined) return undefined;
  try {
    for (const id of bases) await rm(baseFolder(store, id), { recursive: true });
    return { bases, walFiles: await pruneWal(store, kept) };
  } finally {
    await lock.release();
  }
}
