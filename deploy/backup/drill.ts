import { spawn } from 'node:child_process';
import { chown, lchown, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { BackupError } from './keys.ts';
import { restore } from './restore.ts';
import type { Store } from './store.ts';

export interface DrillOptions {
  readonly store: Store;
  /** Unix ms; undefined: as late as the archive reaches. */
  readonly at: number | undefined;
  /** Parent of the throw-away folder; needs room for the whole database and the log since the base backup. */
  readonly scratch: string;
  /** Path of PostgreSQL's server program. */
  readonly program: string;
  /** Owner of the schema and name of the database. */
  readonly user: string;
  readonly database: string;
  /** User to run the server as, where this process is root's. */
  readonly account?: { readonly uid: number; readonly gid: number };
  /** Time zone files, where the system has none. */
  readonly zoneinfo?: string | undefined;
  /** Looks at the restored database; what it throws is the outcome of the drill. */
  readonly check: (url: string) => Promise<void>;
  /** Monotonic, ms. */
  readonly monotonic: () => number;
}

export interface DrillResult {
  readonly base: string;
  /** Moment up to which the log reached, Unix ms. */
  readonly until: number;
  /** From nothing to a server that answers, ms. */
  readonly restoredInMs: number;
}

/** How long replay may take. */
const PATIENCE_MS = 4 * 3_600_000;

/**
 * Restores into a throw-away folder, starts a server on it that nobody else can reach and that archives nothing, lets `check`
 * look at it, and removes everything again. @throws BackupError; whatever `check` throws.
 */
export async function drill(options: DrillOptions): Promise<DrillResult> {
  const { store, at, scratch, account, monotonic } = options;
  if (process.getuid?.() === 0 && account === undefined)
    throw new BackupError("PostgreSQL does not run as root: run the drill as the server's user");
  const began = monotonic();
  const folder = await mkdtemp(join(scratch, 'parkline-drill-'));
  try {
    const to = join(folder, 'data');
    const { base, until } = await restore({ store, to, at, foldersTo: join(folder, 'folders') });
    if (options.zoneinfo !== undefined)
      await symlink(options.zoneinfo, join(to, 'zoneinfo')).catch(() => undefined);
    await writeFile(join(folder, 'hba.conf'), 'local all all trust\n');
    // Debian keeps the server's configuration elsewhere; what matters of it is said at the start.
    await writeFile(join(to, 'postgresql.conf'), '', { flag: 'a' });
    await mkdir(join(folder, 'socket'), { mode: 0o700 });
    if (account) await giveAll(folder, account);
    const restoredInMs = await onServer(options, { folder, preload: base.preload }, async (url) => {
      const took = Math.round(monotonic() - began);
      await options.check(url);
      return took;
    });
    return { base: base.id, until, restoredInMs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Makes a folder and all in it another user's. */
export async function giveAll(folder: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  await chown(folder, uid, gid);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    await lchown(join(entry.parentPath, entry.name), uid, gid);
}

/** Runs `work` while the restored server runs. */
async function onServer<T>(
  { program, user, database, account }: DrillOptions,
  { folder, preload }: { folder: string; preload: string },
  work: (url: string) => Promise<T>,
): Promise<T> {
  const settings = {
    ...{ listen_addresses: '', unix_socket_directories: join(folder, 'socket'), port: '5432' },
    ...{ hba_file: join(folder, 'hba.conf'), archive_mode: 'off', archive_command: '', fsync: 'off' },
    shared_preload_libraries: preload,
    // Nobody connects before replay is over, so the limits of the server that was backed up need not be met.
    hot_standby: 'off',
    // Nothing of the server that was backed up may run here.
    ...(/timescaledb/.test(preload) && { 'timescaledb.max_background_workers': '0' }),
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const data = join(folder, 'data');
  const child = spawn(program, ['-D', data, ...flags], {
    ...{ cwd: data, stdio: ['ignore', 'ignore', 'pipe'], ...account },
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
  });
  let log = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-8000)));
  let isOver = false;
  const ended = new Promise<void>((resolve) => child.once('close', resolve).once('error', () => resolve()));
  void ended.then(() => (isOver = true));
  const socket = encodeURIComponent(join(folder, 'socket'));
  const url = `postgres://${encodeURIComponent(user)}@${socket}/${encodeURIComponent(database)}`;
  try {
    await untilOpen(
      url,
      () => isOver,
      () => log,
    );
    return await work(url);
  } finally {
    child.kill('SIGINT');
    await ended;
  }
}

/** Waits until replay is over and the server takes writes. */
async function untilOpen(url: string, isOver: () => boolean, log: () => string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(100)) {
    if (isOver()) throw new BackupError(`the restored server ended:\n${log()}`);
    const state = await stateOf(url);
    if (state === 'open') return;
    if (state instanceof Error && isRefusal(state)) throw new BackupError(state.message, { cause: state });
    if (Date.now() > deadline) throw new BackupError(`the restored server did not open:\n${log()}`);
  }
}

/** A server that is there and does not know the user or the database will not know them later. */
const isRefusal = (error: Error): boolean =>
  ['28000', '28P01', '3D000'].includes((error as { code?: string }).code ?? '');

async function stateOf(url: string): Promise<'open' | 'replaying' | Error> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ replays: boolean }>('select pg_is_in_recovery() as replays');
    return rows[0]?.replays === false ? 'open' : 'replaying';
  } catch (error) {
    return error as Error;
  } finally {
    await client.end();
  }
}
