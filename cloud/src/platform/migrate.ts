import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Migrator, type Migration } from 'kysely/migration';
import { sql } from 'kysely';
import pg from 'pg';
import { createDb, createPool, type Db } from './db.ts';

export const migrationsFolder = join(import.meta.dirname, '../../migrations');

const FILE = /^\d{4}_[a-z0-9_]+\.sql$/;
/** First line of a file whose single statement cannot run in a transaction (`create index concurrently`). */
const NO_TRANSACTION = '-- no transaction';
/** One migration run per database at a time; the number only has to be ours. */
const LOCK = 7_215_350_001;

/** Why the schema could not be brought forward, in words for the person at the terminal. */
export class MigrationError extends Error {
  readonly code: 'newer' | 'failed';
  constructor(code: MigrationError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MigrationError';
    this.code = code;
  }
}

/** Files of the folder by name without `.sql`, in order. @throws Error on a file that is not NNNN_what.sql. */
export async function readMigrations(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const odd = names.filter((name) => !FILE.test(name));
  if (odd.length > 0) throw new Error(`not a migration name (NNNN_slice_what.sql): ${odd.join(', ')}`);
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return new Map(names.map((name, i) => [name.slice(0, -4), texts[i] ?? '']));
}

/**
 * Brings the database forward to the newest migration and returns the names of those that ran. Safe to run twice at once.
 * `url` is the owner's. @throws MigrationError 'newer' when the database was migrated by newer code, 'failed' with the file's name.
 */
export async function migrate(url: string, folder = migrationsFolder): Promise<string[]> {
  const migrations = await readMigrations(folder);
  const lock = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await lock.connect();
  const db = createDb(createPool({ url, max: 2, name: 'parkline migrate' }));
  try {
    await lock.query('select pg_advisory_lock($1)', [LOCK]);
    return await migrateOneByOne(db, migrations);
  } finally {
    await db.destroy();
    await lock.end(); // Ends the session and with it the lock.
  }
}

/** File by file, because each decides for itself whether it runs in a transaction. */
async function migrateOneByOne(db: Db, migrations: ReadonlyMap<string, string>): Promise<string[]> {
  const provider = {
    getMigrations: () =>
      Promise.resolve(Object.fromEntries([...migrations].map(([name, text]) => [name, toMigration(text)]))),
  };
  const migrator = new Migrator({
    db,
    provider,
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  });
  const ran: string[] = [];
  for (;;) {
    const next = (await migrator.getMigrations()).find(({ executedAt }) => !executedAt);
    const disableTransactions = migrations.get(next?.name ?? '')?.startsWith(NO_TRANSACTION) ?? false;
    const { error, results } = await migrator.migrateUp({ disableTransactions });
    if (error) throw explain(error, results?.find(({ status }) => status === 'Error')?.migrationName);
    if (!results?.[0]) return ran;
    ran.push(results[0].migrationName);
  }
}

const toMigration = (text: string): Migration => ({
  async up(db) {
    await sql.raw(text).execute(db);
  },
});

function explain(cause: unknown, name: string | undefined): MigrationError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const missing = /previously executed migration (\S+) is missing/.exec(message)?.[1];
  if (missing)
    return new MigrationError(
      'newer',
      `the database is newer than this code: it already has migration ${missing}`,
      { cause },
    );
  const between = /expected previously executed migration (\S+) .* but (\S+) was found in its place/.exec(
    message,
  );
  if (between)
    return new MigrationError(
      'failed',
      `migration ${between[2]} would come before ${between[1]}, which this database already has: nothing was changed; ` +
        `start with an empty database, or restore a backup from before ${between[1]}`,
      { cause },
    );
  return new MigrationError('failed', `migration ${name ?? '?'} failed: ${message}`, { cause });
}

/**
 * Adds the timescaledb extension where the server offers it and the readings are not kept without it already.
 * Run before `migrate`: its migrations look for the extension. @returns whether the database has it.
 */
export async function enableTimescale(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    // Its loader was preloaded where its settings exist; the list of preloaded libraries is for superusers only.
    const { rows } = await client.query<{ has: boolean; offered: boolean }>(
      `select exists (select from pg_extension where extname = 'timescaledb') as has,
              exists (select from pg_available_extensions where name = 'timescaledb')
                and current_setting('timescaledb.max_background_workers', true) is not null
                and to_regclass('public.reading') is null as offered`,
    );
    if (rows[0]?.has || !rows[0]?.offered) return rows[0]?.has ?? false;
    return await client.query('create extension timescaledb').then(
      () => true,
      (error: unknown) => {
        // An owner without the right to add extensions keeps readings in native partitions.
        if ((error as { code?: string }).code === INSUFFICIENT_PRIVILEGE) return false;
        throw error;
      },
    );
  } finally {
    await client.end();
  }
}

const INSUFFICIENT_PRIVILEGE = '42501';
