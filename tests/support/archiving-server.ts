import { type ChildProcess, spawn } from 'node:child_process';
import { chown, chmod, copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { giveAll } from '../../deploy/backup/drill.ts';
import { ended, start } from '../../deploy/local/command.ts';
import { createDebs } from '../../deploy/local/debs.ts';
import { cacheFolder, freePort, isRoot, nobody, scratchFolder } from '../../deploy/local/machine.ts';
import { findPostgres, type PostgresFiles } from '../../deploy/local/postgres-files.ts';
import {
  clusterUrl,
  createCluster,
  newPassword,
  postgresCommand,
  query,
  untilDatabaseAnswers,
} from '../../deploy/local/postgres.ts';

const backup = join(import.meta.dirname, '../../deploy/backup');

/** What a command of the operator said. */
export interface Said {
  readonly status: number | null;
  readonly text: string;
}

/** A server that archives its log by our command, with a store of backups beside it. */
export interface ArchivingServer {
  readonly folder: string;
  readonly files: PostgresFiles;
  /** Folder of backups and the key file, as the operator names them. */
  readonly store: string;
  readonly key: string;
  /** A superuser's address of a database. */
  readonly url: (database: string) => string;
  /** The end of what the server said. */
  readonly log: () => string;
  /** `npm run backup -- ...` with this store, this key and the server's programs. */
  run(...args: string[]): Promise<Said>;
  /** Kills the server at once and removes its data. */
  destroy(): Promise<void>;
  /** Brings the server back from its backups, as it was at a moment, under its old address; from then on it archives again. */
  restore(at: string): Promise<void>;
  stop(): Promise<void>;
}

/** @param archiveTimeoutS after how many seconds a part of the log that is not full is archived, too. */
export async function startArchivingServer(archiveTimeoutS: number): Promise<ArchivingServer> {
  const notice = (text: string): void => void process.stderr.write(`services: ${text}\n`);
  const cache = cacheFolder(process.env);
  const debs = createDebs({ cache, env: process.env, notice });
  const files = await findPostgres(debs, cache, notice).finally(() => debs.close());
  const folder = await mkdtemp(join(scratchFolder(), 'parkline-restore-'));
  if (isRoot()) await chmod(folder, 0o711);
  const [store, key] = [join(folder, 'store'), join(folder, 'backup.key')];
  const run = (...args: string[]): Promise<Said> =>
    node([join(backup, 'main.ts'), ...args, '--dir', store, '--key', key]);
  const cluster = { folder: join(folder, 'server'), port: await freePort(), password: newPassword() };
  await createCluster(files, cluster, false);
  const command = postgresCommand(files, cluster, false);
  await run('keygen');
  const archive = await archiver(folder, [store, key]);
  const settings = { archive_mode: 'on', archive_timeout: String(archiveTimeoutS), archive_command: archive };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let log = '';
  const url = (database: string): string => clusterUrl(cluster, database);
  const launch = (): ChildProcess => {
    const started = start({ ...command, args: [...command.args, ...flags] });
    started.stderr?.on('data', (bytes: Buffer) => (log = (log + bytes.toString()).slice(-4000)));
    return started;
  };
  let child = launch();
  const destroy = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended(child);
    await rm(cluster.folder, { recursive: true, force: true });
  };
  const restore = async (at: string): Promise<void> => {
    const data = join(cluster.folder, 'data');
    const { status, text } = await run('restore', '--to', data, '--at', at);
    if (status !== 0) throw new Error(text);
    if (files.zoneinfo) await symlink(files.zoneinfo, join(data, 'zoneinfo')).catch(() => undefined);
    if (isRoot()) await giveAll(cluster.folder, nobody);
    child = launch();
    await untilWrites(url('postgres'));
    // The checkpointer went to sleep while there was nothing to archive, and looks at archive_timeout when it wakes. A base backup wakes it, too.
    await query(url('postgres'), 'checkpoint');
  };
  try {
    await untilDatabaseAnswers(url('postgres'), 30_000);
    await query(url('postgres'), 'create database parkline');
    if (files.timescale) await query(url('parkline'), 'create extension timescaledb');
  } catch (error) {
    await destroy();
    throw error;
  }
  const stop = async (): Promise<void> => {
    await destroy();
    await rm(folder, { recursive: true, force: true });
  };
  return { folder, files, store, key, url, log: () => log, run, destroy, restore, stop };
}

/** A restored server may answer before it takes writes. */
async function untilWrites(url: string): Promise<void> {
  await untilDatabaseAnswers(url, 60_000);
  for (let turn = 0; turn < 600; turn += 1) {
    const [state] = await query<{ replays: boolean }>(url, 'select pg_is_in_recovery() as replays');
    if (state?.replays === false) return;
    await sleep(100);
  }
  throw new Error('the restored server takes no writes');
}

/** The archive_command. As root the server runs as "nobody", who may not be able to enter the repository: it gets copies. */
async function archiver(folder: string, [store, key]: readonly [string, string]): Promise<string> {
  let [program, main] = [process.execPath, join(backup, 'main.ts')];
  await mkdir(store, { mode: 0o700 });
  if (isRoot()) {
    const own = join(folder, 'program');
    await mkdir(own);
    for (const name of await readdir(backup)) await copyFile(join(backup, name), join(own, name));
    await writeFile(join(own, 'package.json'), '{ "type": "module" }');
    [program, main] = [join(own, 'node'), join(own, 'main.ts')];
    await copyFile(process.execPath, program);
    const parts = ['base', 'wal'].map((part) => join(store, part));
    for (const part of parts) await mkdir(part, { mode: 0o700 });
    for (const path of [store, ...parts, key]) await chown(path, nobody.uid, nobody.gid);
  }
  return `"${program}" "${main}" wal --path "%p" --name "%f" --dir "${store}" --key "${key}"`;
}

function node(args: readonly string[]): Promise<Said> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => (text += more));
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (status) => resolve({ status, text }));
  });
}
