import { join } from 'node:path';
import { type Context } from './context.ts';
import type { Debs } from './debs.ts';
import { readOrMake } from './files.ts';
import { StartError } from './options.ts';
import { findPostgres, type PostgresFiles } from './postgres-files.ts';
import {
  type Cluster,
  clusterUrl,
  createCluster,
  newPassword,
  postgresCommand,
  query,
  untilDatabaseAnswers,
} from './postgres.ts';
import type { Service } from './supervisor.ts';

/** A database that answers. */
export interface Database {
  /** The owner's address. */
  readonly url: string;
  /** Whether the server is the park's own: its roles are ours to make. */
  readonly own: boolean;
  /** For people: which server this is. */
  readonly description: string;
}

const name = 'parkline';

/** Uses the database of DATABASE_URL. @throws StartError when it does not answer; the address itself is not shown. */
export async function attachDatabase(url: string): Promise<Database> {
  try {
    const [row] = await query<{ version: string }>(
      url,
      `select current_setting('server_version') as version`,
    );
    await enableTimescale(url);
    return { url, own: false, description: `DATABASE_URL, PostgreSQL ${row?.version ?? ''}` };
  } catch (cause) {
    throw new StartError(`the database of DATABASE_URL cannot be used: ${reason(cause)}`, { cause });
  }
}

/** Starts the park's own server with durable settings and opens its database. */
export async function runDatabase(context: Context, debs: Debs, port: number): Promise<Database> {
  const { home, supervisor, steps, cache } = context;
  const files = await findPostgres(debs, cache, steps.detail);
  const password = (await readOrMake(join(home.secrets, 'postgres-password'), newPassword)).trim();
  const cluster: Cluster = { folder: home.postgres, port, password };
  await createCluster(files, cluster, true);
  await supervisor.run(postgresService(files, cluster));
  const url = await openDatabase(cluster);
  await enableTimescale(url);
  return {
    url,
    own: true,
    description: `PostgreSQL ${files.timescale ? 'with TimescaleDB' : 'without TimescaleDB'}, port ${port}`,
  };
}

const postgresService = (files: PostgresFiles, cluster: Cluster): Service => ({
  name: 'postgres',
  stage: 'database',
  command: postgresCommand(files, cluster, true),
  // A server that was killed replays its log first.
  ready: (_running, signal) => untilDatabaseAnswers(clusterUrl(cluster), 10 * 60_000, signal),
  readyWithinMs: 10 * 60_000,
  // "Fast": ends sessions, writes everything down, stops.
  stopSignal: 'SIGINT',
  stopWithinMs: 2500,
});

async function openDatabase(cluster: Cluster): Promise<string> {
  const server = clusterUrl(cluster);
  const found = await query(server, 'select from pg_database where datname = $1', [name]);
  if (found.length === 0) await query(server, `create database ${name} template template0`);
  return clusterUrl(cluster, name);
}

/** Where the server has the extension but the owner may not create it, the database works without. */
async function enableTimescale(url: string): Promise<void> {
  const [row] = await query<{ possible: boolean }>(
    url,
    `select exists (select from pg_available_extensions where name = 'timescaledb' and installed_version is null)
      and current_setting('is_superuser')::boolean and not exists (select from pg_class where relname = 'reading') as possible`,
  );
  if (row?.possible) await query(url, 'create extension if not exists timescaledb');
}

/** pg reports a refused connection to several addresses as an AggregateError without a message. */
function reason(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(reason).join('; ');
  return cause instanceof Error ? cause.message : String(cause);
}
