import { sql } from 'kysely';
import type pg from 'pg';
import type { Logger } from 'pino';
import { Gauge, type Registry } from 'prom-client';
import type { Now, Wait } from './clock.ts';
import type { Db } from './db.ts';
import { type Job, JOB_CHANNEL, jobs, type Lane } from './jobs.ts';
import { runListener } from './listen.ts';

/**
 * Carries a job out in the transaction that removes it; bound to the job's account. Whatever it throws undoes what it wrote,
 * and the job is tried again later.
 */
export type JobHandler = (trx: Db, job: Job) => Promise<void>;
export type JobHandlers = Readonly<Record<string, JobHandler>>;

export interface JobDeps {
  /** As parkline_worker. */
  readonly db: Db;
  readonly now: Now;
  readonly log: Logger;
  /** By task. */
  readonly handlers: JobHandlers;
  /** Without it every task. */
  readonly lane?: Lane | undefined;
}

/** Failures after which a job is given up: with the waits below about three hours. */
export const MAX_ATTEMPTS = 12;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 3_600_000;
/** Longest time between looks, for timers that end and for a lost notice. */
const POLL_MS = 1_000;
/** A due job that waits longer is late. */
const LATE_MS = 10_000;

/** Wait before the next attempt: 1 s, 2 s, 4 s, ... 1 h. Pure. */
export const backoffMs = (failures: number): number =>
  Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));

/**
 * Does one due job, if there is one. @returns whether there was one. @throws the database's error when not even the failure
 * of the job could be noted; the job then stands as before.
 */
export async function doNextJob({ db, now, log, handlers, lane }: JobDeps): Promise<boolean> {
  const id = await jobs.begin(db, now(), lane);
  if (id === undefined) return false;
  await db.transaction().execute(async (trx) => {
    const job = await jobs.take(trx, id);
    if (!job) return; // Another process was faster.
    await sql`select set_config('app.account_id', ${job.accountId}, true)`.execute(trx);
    await sql`savepoint job`.execute(trx);
    try {
      // Removed first: what the handler enqueues under the same key is a new job.
      await jobs.remove(trx, job);
      const handle = handlers[job.task];
      if (!handle) throw new Error(`nobody handles the task "${job.task}"`);
      await handle(trx, job);
    } catch (err) {
      await sql`rollback to savepoint job`.execute(trx);
      await noteFailure(trx, job, err, { now, log });
    }
  });
  return true;
}

async function noteFailure(
  trx: Db,
  job: Job,
  err: unknown,
  { now, log }: Pick<JobDeps, 'now' | 'log'>,
): Promise<void> {
  const failures = job.attempts + 1;
  const at = now();
  const isDead = failures >= MAX_ATTEMPTS;
  const text = err instanceof Error ? err.message : String(err);
  await jobs.fail(trx, job, text, at, isDead ? null : new Date(at.getTime() + backoffMs(failures)));
  const { id: jobId, accountId, task, key } = job;
  const facts = { err, jobId, accountId, task, key, failures };
  if (isDead) log.error(facts, 'job given up');
  else log.warn(facts, 'job failed');
}

/** Does jobs as they come due until `signal` aborts. Any number of processes may run this; each job is done by one. */
export async function runJobs(
  deps: JobDeps & { readonly pool: pg.Pool; readonly wait: Wait; readonly metrics?: Registry | undefined },
  signal: AbortSignal,
): Promise<void> {
  const { pool, wait, log } = deps;
  if (deps.metrics) countBacklog(deps.metrics, deps);
  let wake = new AbortController();
  const ring = (): void => wake.abort();
  signal.addEventListener('abort', ring);
  const listening = runListener(
    { pool, wait, log, channel: JOB_CHANNEL, onNotice: ring, onConnect: ring },
    signal,
  );

  let failures = 0;
  while (!signal.aborted) {
    wake = new AbortController(); // Before the look: what comes during it wakes the next one.
    try {
      if (await doNextJob(deps)) continue;
      failures = 0;
    } catch (err) {
      if (failures % 60 === 0) log.warn({ err, failures }, 'jobs not reached');
      failures += 1;
      await wait(POLL_MS, signal);
    }
    if (!signal.aborted) await wait(POLL_MS, wake.signal);
  }
  await listening;
}

function countBacklog(registry: Registry, { db, now }: Pick<JobDeps, 'db' | 'now'>): void {
  const registers = [registry];
  const dead = new Gauge({ name: 'parkline_jobs_dead', help: 'Jobs given up', registers });
  new Gauge({
    name: 'parkline_jobs_late',
    help: `Jobs due for more than ${LATE_MS / 1_000} s`,
    registers,
    async collect() {
      const backlog = await jobs.backlog(db, now(), LATE_MS);
      this.set(backlog.late);
      dead.set(backlog.dead);
    },
  });
}
