import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import { factsOf, isCollision, oncePastOthers } from './collision.ts';

/**
 * Every table of the database. Each slice adds its own beside its repository:
 * `declare module '../platform/db.ts' { interface Tables { building: BuildingTable } }`.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled by declaration merging, see above
export interface Tables {}

/** A pool or a transaction on it: repositories take either. */
export type Db = Kysely<Tables>;

/** NOLOGIN group roles of migration 0001; what a connection may touch is decided by them, not by its login. */
export type DbRole = 'parkline_app' | 'parkline_ingest' | 'parkline_worker' | 'parkline_provisioner';

export interface DbOptions {
  readonly url: string;
  /** Set at connect, before any query. Leave out for the owner, or where the login itself is the restricted role. */
  readonly role?: DbRole;
  readonly max?: number;
  /** Shown in pg_stat_activity. */
  readonly name?: string;
  /** User of the operating system, where somebody works by the command line: the audit names who did what. */
  readonly operator?: string;
  /** Told of broken idle connections; the pool replaces them by itself. */
  readonly log?: Logger;
}

/** The raw pool, for COPY and LISTEN. Whoever makes it ends it. */
export function createPool({ url, role, max = 10, name = 'parkline', operator, log }: DbOptions): pg.Pool {
  const settings = [
    ...(role ? [`role=${role}`] : []),
    ...(operator ? [`app.operator=${operator.replaceAll(/[\\\s]/g, '\\$&')}`] : []),
  ];
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: name,
    connectionTimeoutMillis: 10_000,
    ...(settings.length > 0 && { options: settings.map((setting) => `-c ${setting}`).join(' ') }),
  });
  // Without a listener an idle connection that the server closes would end the process.
  pool.on('error', (err) => log?.warn({ err }, 'idle database connection lost'));
  // Neither may one that is closed in the middle of a transaction: whoever works on it learns by its next query.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Ends the pool it was given when destroyed. `log` is told of transactions that stood in each other's way, also where a second try helped. */
export const createDb = (pool: pg.Pool, log?: Pick<Logger, 'warn'>): Db =>
  new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    log(event) {
      if (event.level !== 'error' || !isCollision(event.error)) return;
      event.error.statement = event.query.sql;
      log?.warn(factsOf(event.error), 'transaction ended by the database: another one stood in its way');
    },
    // jsonb keeps its keys: only column names are translated.
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });

/** Whose rows a transaction may touch: those of an account, of these only a tenant's where one is named, and only in some buildings. */
export interface Bounds {
  readonly accountId: string;
  /** Null for the operator's own staff. */
  readonly tenantId: string | null;
  /** Ids; null: everywhere. */
  readonly buildings: readonly string[] | null;
  /** Set for a program that came with a key. */
  readonly apiKeyId?: string;
  /** Called in the transaction when all else was done; what it throws undoes it. */
  readonly beforeCommit?: (trx: Db) => Promise<void>;
}

/**
 * Runs `work` in a transaction that sees only what this person may see; every route asks through it.
 * The settings are local to the transaction, so a pooled connection carries nothing over to its next user.
 * Where another transaction stood in its way it runs once more: so `work` does nothing that a rollback does not undo. What
 * is to be sent, printed or logged goes by a job, or comes after.
 * @throws Collision when that did not help: 503 to whoever asked.
 */
export const withActor = <T>(
  db: Db,
  { accountId, tenantId, buildings, apiKeyId, beforeCommit }: Bounds,
  work: (trx: Db) => Promise<T>,
): Promise<T> =>
  oncePastOthers(() =>
    db.transaction().execute(async (trx) => {
      await sql`select set_config('app.account_id', ${accountId}, true),
        set_config('app.tenant_id', ${tenantId ?? ''}, true),
        set_config('app.api_key_id', ${apiKeyId ?? ''}, true),
        set_config('app.building_ids', ${buildings === null ? '' : `{${buildings.join(',')}}`}, true)`.execute(
        trx,
      );
      const result = await work(trx);
      await beforeCommit?.(trx);
      return result;
    }),
  );

/** All rows of one account: for background work and the command line, where no person asks. */
export const withAccount = <T>(db: Db, accountId: string, work: (trx: Db) => Promise<T>): Promise<T> =>
  withActor(db, { accountId, tenantId: null, buildings: null }, work);

/**
 * Refuses a connection that row-level security does not bind: a superuser, or a role with BYPASSRLS.
 * @throws Error naming the role.
 */
export async function assertBoundByPolicies(db: Db): Promise<void> {
  const { rows } = await sql<{ rolname: string; free: boolean }>`
    select rolname, rolsuper or rolbypassrls as free from pg_catalog.pg_roles where rolname = current_user`.execute(
    db,
  );
  const role = rows[0];
  if (!role || role.free)
    throw new Error(`database role ${role?.rolname ?? '?'} is not bound by row-level security`);
}
