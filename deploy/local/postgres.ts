import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { type Command, ended, followingParent, start } from './command.ts';
import { freePort, isRoot, nobody, run, scratchFolder } from './machine.ts';
import type { PostgresFiles } from './postgres-files.ts';

/** Where a server keeps its data, and how to reach it. */
export interface Cluster {
  /** Holds `data/`; belongs to the user the server runs as. */
  readonly folder: string;
  readonly port: number;
  /** Of the superuser "postgres". */
  readonly password: string;
}

const always = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // Debian's compiler back end for queries is left out of the download.
  jit: 'off',
  // Containers often have a /dev/shm too small for the default.
  dynamic_shared_memory_type: 'mmap',
  timezone: 'UTC',
  log_timezone: 'UTC',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
} as const;

const withTimescale = {
  shared_preload_libraries: 'timescaledb',
  'timescaledb.telemetry_level': 'off',
  // Its scheduler would hold a connection to every database; retention and rollups are Parkline's own jobs.
  'timescaledb.max_background_workers': '0',
} as const;

/** Nothing survives a power cut, and nothing has to: for tests only. */
const throwAway = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
} as const;

const account = (): { uid?: number; gid?: number } => (isRoot() ? nobody : {});
const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'GMT' };

/** A superuser's address of `database`. */
export const clusterUrl = ({ port, password }: Cluster, database = 'postgres'): string =>
  `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;

/** A password for loopback: without one every local user would be a superuser of the database. */
export const newPassword = (): string => randomBytes(18).toString('base64url');

/** Creates the data folder unless it is there. A creation that was cut short is begun again. */
export async function createCluster(
  files: PostgresFiles,
  { folder, password }: Cluster,
  durable: boolean,
): Promise<void> {
  const data = join(folder, 'data');
  if (existsSync(data)) return;
  await mkdir(folder, { recursive: true });
  const owner = account();
  const draft = join(folder, 'draft');
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft);
  const secret = join(draft, 'password');
  await writeFile(secret, password, { mode: 0o600 });
  if (owner.uid !== undefined)
    for (const path of [folder, draft, secret]) await chown(path, nobody.uid, nobody.gid);
  await chmod(folder, 0o700);
  await assertRuns(files);
  const flags = ['-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', secret, '-E', 'UTF8'];
  const locale = [
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ];
  const made = join(draft, 'data');
  await run(files.program('initdb'), ['-D', made, ...flags, ...locale], {
    ...owner,
    env: environment,
    cwd: draft,
  });
  if (files.zoneinfo) await symlink(files.zoneinfo, join(made, 'zoneinfo'));
  // Renamed last: a folder called `data` is always a whole one.
  await rename(made, data);
  await rm(draft, { recursive: true, force: true });
}

/** PostgreSQL cannot run here; the message says what to change. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
}

async function assertRuns(files: PostgresFiles): Promise<void> {
  if (!isRoot() && !hasName())
    throw new PostgresError(
      `the user id ${String(process.getuid?.())} has no name on this machine, and PostgreSQL needs one: ` +
        'start as a user of /etc/passwd, or set DATABASE_URL to use another server',
    );
  try {
    await run(files.program('postgres'), ['--version'], { ...account(), env: environment, cwd: '/' });
  } catch (cause) {
    const why = isRoot()
      ? ' by the user "nobody": set PARKLINE_CACHE to a folder that every user may enter'
      : '';
    throw new PostgresError(`${files.program('postgres')} cannot be run${why}`, { cause });
  }
}

function hasName(): boolean {
  try {
    return userInfo().username !== '';
  } catch {
    return false; // Thrown where the id is in no user database.
  }
}

/** How the server of `cluster` is started. It ends by itself when its parent dies. */
export function postgresCommand(files: PostgresFiles, cluster: Cluster, durable: boolean): Command {
  const data = join(cluster.folder, 'data');
  const settings = {
    ...always,
    ...(files.timescale ? withTimescale : {}),
    ...(durable ? {} : throwAway),
    port: String(cluster.port),
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const server = {
    file: files.program('postgres'),
    args: ['-D', data, ...flags],
    env: environment,
    cwd: data,
  };
  return followingParent({ ...server, ...account() }, 'INT');
}

/** Waits until the database at `url` answers. @throws the last error after `timeoutMs`. */
export async function untilDatabaseAnswers(
  url: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    try {
      await query(url, 'select 1');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

/** One statement on a connection of its own. */
export async function query<Row extends object>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  // A server that goes away while idle is reported here as well as to the caller.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** A running server of its own, whose data vanish with it. */
export interface ThrowAwayServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A fast server for tests on a free port of loopback. */
export async function startThrowAway(files: PostgresFiles): Promise<ThrowAwayServer> {
  const folder = await mkdtemp(join(scratchFolder(), 'parkline-pg-'));
  const cluster = { folder, port: await freePort(), password: newPassword() };
  await createCluster(files, cluster, false);
  const child = start(postgresCommand(files, cluster, false));
  let log = '';
  child.stderr?.on('data', (bytes: Buffer) => (log = (log + bytes.toString()).slice(-4000)));
  const early = new AbortController();
  child.once('exit', () => early.abort(new Error(`postgres ended while starting\n${log}`)));
  await untilDatabaseAnswers(clusterUrl(cluster), 20_000, early.signal);
  return {
    url: clusterUrl(cluster),
    async stop() {
      child.kill('SIGINT');
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
