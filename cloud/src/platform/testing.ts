import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { createDb, createPool, type Db, type DbRole } from './db.ts';
import { migrate, migrationsFolder, readMigrations } from './migrate.ts';

/** How readings are kept: a hypertable, or PostgreSQL's own partitions. */
export type StorageMode = 'plain' | 'timescale';

/** A database of its own for one test file; closed and dropped after the file's last test. */
export interface ClonedDatabase {
  readonly storage: StorageMode;
  /** Connection string of the owner; add a role with `createPool({ url, role })`. */
  readonly url: string;
  /** The owner: not bound by policies, for arranging and looking. */
  readonly owner: Db;
  /** As the API connects. */
  readonly app: Db;
  /** As ingest connects. */
  readonly ingest: Db;
  /** As background work connects. */
  readonly worker: Db;
  /** A further pool of this database, closed with it. */
  readonly pool: (role?: DbRole, max?: number) => pg.Pool;
}

/** Keeps two test processes from building the same template at once. */
const TEMPLATE_LOCK = 7_215_350_002;

/** A copy of the migrated template: about 50 ms. Call at the top level of a test file. */
export async function clonedDatabase(): Promise<ClonedDatabase> {
  const server = inject('postgresUrl');
  const storage = inject('storage');
  const template = await templateDatabase(server, storage);
  const name = `t_${randomBytes(6).toString('hex')}`;
  await onServer(server, (client) => client.query(`create database ${name} template ${template}`));

  const url = onDatabase(server, name);
  const pools: pg.Pool[] = [];
  const pool = (role?: DbRole, max = 5) => {
    const made = createPool({ url, max, name: 'parkline test', ...(role && { role }) });
    pools.push(made);
    return made;
  };
  afterAll(async () => {
    // A test may have destroyed its pool already; pg refuses a second end.
    await Promise.all(pools.filter(({ ended }) => !ended).map((one) => one.end()));
    await onServer(server, (client) => client.query(`drop database if exists ${name} with (force)`));
  });
  return {
    storage,
    url,
    owner: createDb(pool()),
    app: createDb(pool('parkline_app')),
    ingest: createDb(pool('parkline_ingest')),
    worker: createDb(pool('parkline_worker')),
    pool,
  };
}

/**
 * Does `work` for 0 to `count` - 1, `atOnce` under way at any time. Those that wait for one of few connections wait in
 * the test: the pool's patience is for a crowd, and on a busy machine the last of a thousand would outlast it.
 */
export async function inLanes<T>(
  count: number,
  atOnce: number,
  work: (i: number) => Promise<T>,
): Promise<T[]> {
  const done: T[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) done[i] = await work(i);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return done;
}

/** An empty database without a single migration, for tests of migrating itself. */
export async function emptyDatabase(): Promise<string> {
  const server = inject('postgresUrl');
  const name = `t_${randomBytes(6).toString('hex')}`;
  await onServer(server, (client) => client.query(`create database ${name} template template0`));
  afterAll(() => onServer(server, (client) => client.query(`drop database if exists ${name} with (force)`)));
  return onDatabase(server, name);
}

/** Named after its content: changed migrations make a new template, unchanged ones are migrated once per server. */
async function templateDatabase(server: string, storage: StorageMode): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, text] of await readMigrations(migrationsFolder)) hash.update(`${name}\0${text}\0`);
  const template = `tmpl_${storage}_${hash.digest('hex').slice(0, 12)}`;
  await onServer(server, async (client) => {
    await client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await client.query('select from pg_database where datname = $1', [template]);
    if (rowCount) return;
    // Built under another name: a run killed half-way leaves no template that looks whole.
    const draft = `${template}_draft`;
    await client.query(`drop database if exists ${draft} with (force)`);
    await client.query(`create database ${draft} template template0`);
    const url = onDatabase(server, draft);
    if (storage === 'timescale') await onServer(url, (one) => one.query('create extension timescaledb'));
    await migrate(url);
    await client.query(`alter database ${draft} rename to ${template}`);
  });
  return template;
}

async function onServer(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function onDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
