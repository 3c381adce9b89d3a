import { type Generated, sql } from 'kysely';
import type { Db } from './db.ts';
import type { NewId } from './ids.ts';

declare module './db.ts' {
  interface Tables {
    job: {
      id: string;
      accountId: string;
      task: string;
      key: string;
      payload: unknown;
      dueAt: Date;
      attempts: Generated<number>;
      starts: Generated<number>;
      startedAt: Generated<Date | null>;
      lastError: Generated<string | null>;
      deadAt: Generated<Date | null>;
      createdAt: Generated<Date>;
    };
  }
}

/** Channel that the database notifies on when a job was enqueued or moved. */
export const JOB_CHANNEL = 'parkline_job';

export interface NewJob {
  readonly accountId: string;
  /** `<slice>.<verb>`: picks the handler. */
  readonly task: string;
  /** What it is about. A task has at most one job for a key: enqueuing again replaces payload and due time. */
  readonly key: string;
  readonly payload?: object;
  /** A timer when it lies ahead; else it is done at once. */
  readonly dueAt: Date;
}

export interface Job {
  readonly id: string;
  readonly accountId: string;
  readonly task: string;
  readonly key: string;
  readonly payload: unknown;
  readonly dueAt: Date;
  /** Failures so far. */
  readonly attempts: number;
}

/** Which tasks a process looks for; those that wait for machines of others have a lane of their own, to delay no other. */
export type Lane = { readonly only: readonly string[] } | { readonly except: readonly string[] };

const inLane = (lane: Lane | undefined) => {
  if (!lane) return sql`true`;
  return 'only' in lane ? sql`task = any (${[...lane.only]})` : sql`task <> all (${[...lane.except]})`;
};

/** Ends of its process that a job is not blamed for: a machine may lose its power a few times. */
const FREE_STARTS = 5;

export const jobs = {
  /** In the transaction of what makes it necessary, so that there is neither one without the other. */
  async enqueue(trx: Db, newId: NewId, { payload = {}, ...job }: NewJob): Promise<void> {
    await trx
      .insertInto('job')
      .values({ id: newId(), ...job, payload })
      .onConflict((c) =>
        c.columns(['accountId', 'task', 'key']).doUpdateSet((eb) => ({
          payload: eb.ref('excluded.payload'),
          dueAt: eb.ref('excluded.dueAt'),
          attempts: 0,
          starts: 0,
          lastError: null,
          deadAt: null,
        })),
      )
      .execute();
  },

  /** Takes a job back; nothing happens when there is none. */
  async cancel(trx: Db, accountId: string, task: string, key: string): Promise<void> {
    await trx
      .deleteFrom('job')
      .where('accountId', '=', accountId)
      .where('task', '=', task)
      .where('key', '=', key)
      .execute();
  },

  /**
   * Counts a start of the job that waits longest, before it is taken: only so is a job known that kills its process. What
   * another process has in hand is passed over, and what ended its process several times in a row waits. @returns its id.
   */
  async begin(db: Db, now: Date, lane?: Lane): Promise<string | undefined> {
    const { rows } = await sql<{ id: string }>`
      update job set starts = starts + 1, started_at = ${now} where id = (
        select id from job
        where dead_at is null and due_at <= ${now} and ${inLane(lane)} and (starts < ${FREE_STARTS} or started_at <= ${now}::timestamptz
          - least(interval '1 h', interval '1 s' * 2 ^ least(starts - ${FREE_STARTS}, 20)))
        order by due_at, id limit 1 for update skip locked
      ) returning id`.execute(db);
    return rows[0]?.id;
  },

  /** The job that was begun, locked for this transaction; undefined when another process was faster. */
  async take(trx: Db, id: string): Promise<Job | undefined> {
    return trx
      .selectFrom('job')
      .select(['id', 'accountId', 'task', 'key', 'payload', 'dueAt', 'attempts'])
      .where('id', '=', id)
      .where('deadAt', 'is', null)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
  },

  async remove(trx: Db, { id }: Pick<Job, 'id'>): Promise<void> {
    await trx.deleteFrom('job').where('id', '=', id).execute();
  },

  /** Notes a failure and when it is tried again; `dueAt` null gives it up. */
  async fail(trx: Db, { id, attempts }: Job, error: string, now: Date, dueAt: Date | null): Promise<void> {
    await trx
      .updateTable('job')
      .set({
        attempts: attempts + 1,
        starts: 0,
        lastError: error.slice(0, 2_000),
        ...(dueAt ? { dueAt } : { deadAt: now }),
      })
      .where('id', '=', id)
      .execute();
  },

  /** Jobs that should have been done `lateMs` ago, and those that were given up, over all accounts. */
  async backlog(db: Db, now: Date, lateMs: number): Promise<{ late: number; dead: number }> {
    const { rows } = await sql<{ late: number; dead: number }>`
      select count(*) filter (where dead_at is null and due_at < ${new Date(now.getTime() - lateMs)})::int as late,
        count(*) filter (where dead_at is not null)::int as dead
      from job where dead_at is not null or due_at < ${now}`.execute(db);
    return rows[0] ?? { late: 0, dead: 0 };
  },
};
