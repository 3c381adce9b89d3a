import { sql } from 'kysely';
import pino from 'pino';
import { Registry } from 'prom-client';
import { beforeEach, expect, test } from 'vitest';
import { systemWait } from './clock.ts';
import { withAccount } from './db.ts';
import { newId } from './ids.ts';
import { type JobHandler, MAX_ATTEMPTS, backoffMs, doNextJob, runJobs } from './run-jobs.ts';
import { jobs } from './jobs.ts';
import { clonedDatabase } from './testing.ts';

const { owner, worker: db, pool } = await clonedDatabase();
const log = pino({ enabled: false });
let at = 0;
const now = () => new Date(at);
let accountId: string;
beforeEach(async () => {
  await sql`delete from job`.execute(owner);
  at = Date.UTC(2026, 10, 22);
  accountId = await givenAccount();
});

async function givenAccount(): Promise<string> {
  const id = newId();
  await sql`insert into account (id, key, name) values (${id}, ${`a-${id}`}, '{"en": "A", "zh": "甲"}')`.execute(
    owner,
  );
  return id;
}
const enqueue = (key: string, dueInMs = 0, task = 'test.do') =>
  withAccount(db, accountId, (trx) =>
    jobs.enqueue(trx, newId, { accountId, task, key, dueAt: new Date(at + dueInMs) }),
  );
const next = (handle: JobHandler) => doNextJob({ db, now, log, handlers: { 'test.do': handle } });
const rows = () => owner.selectFrom('job').selectAll().orderBy('key').execute();

test('a job is done when it is due, oldest first, and is gone with its effect', async () => {
  await enqueue('late', 5_000);
  await enqueue('soon', 1_000);
  const done: string[] = [];
  const handle: JobHandler = async (_trx, { key }) => void done.push(key);
  expect(await next(handle)).toBe(false);
  at += 5_000;
  while (await next(handle));
  expect(done).toEqual(['soon', 'late']);
  expect(await rows()).toEqual([]);
});

test('enqueued again it is one job, with the newer time', async () => {
  await enqueue('x');
  await enqueue('x', 60_000);
  expect(await next(async () => undefined)).toBe(false);
  expect(await rows()).toHaveLength(1);
});

test('a handler may enqueue the same key: that is the next job', async () => {
  await enqueue('x');
  await next((trx) =>
    jobs.enqueue(trx, newId, { accountId, task: 'test.do', key: 'x', dueAt: new Date(at + 1_000) }),
  );
  expect(await rows()).toMatchObject([{ key: 'x', dueAt: new Date(at + 1_000) }]);
});

test('what fails is undone, told, tried again ever more slowly and at last given up, loudly', async () => {
  await enqueue('x');
  const told: unknown[] = [];
  const loud = pino({ level: 'error' }, { write: (line: string) => void told.push(JSON.parse(line)) });
  const fail: JobHandler = async (trx) => {
    await trx.updateTable('job').set({ lastError: 'half done' }).execute();
    await sql`select 1 / 0`.execute(trx);
  };
  for (let failures = 1; failures <= MAX_ATTEMPTS; failures += 1) {
    expect(await doNextJob({ db, now, log: loud, handlers: { 'test.do': fail } })).toBe(true);
    expect(await rows()).toMatchObject([{ attempts: failures, lastError: 'division by zero' }]);
    if (failures < MAX_ATTEMPTS) {
      expect(await next(fail)).toBe(false);
      at += backoffMs(failures);
    }
  }
  expect(told).toMatchObject([{ msg: 'job given up', task: 'test.do', failures: MAX_ATTEMPTS }]);
  at += 86_400_000;
  expect(await next(fail)).toBe(false);
  expect(await jobs.backlog(db, now(), 0)).toEqual({ late: 0, dead: 1 });
});

test('a task that nobody handles is kept', async () => {
  await enqueue('x', 0, 'test.unknown');
  await next(async () => undefined);
  expect(await rows()).toMatchObject([{ attempts: 1, lastError: 'nobody handles the task "test.unknown"' }]);
});

test('two workers never have the same job, and the one that has one does not hold up the other', async () => {
  for (const key of ['a', 'b']) await enqueue(key);
  const open: (() => void)[] = [];
  const taken: string[] = [];
  const hold: JobHandler = (_trx, { key }) => {
    taken.push(key);
    return new Promise((resolve) => open.push(resolve));
  };
  const both = [next(hold), next(hold)];
  await expect.poll(() => taken.length).toBe(2);
  expect(new Set(taken).size).toBe(2);
  expect(await next(hold)).toBe(false);
  for (const release of open) release();
  expect(await Promise.all(both)).toEqual([true, true]);
});

test('a job that kills its process every time is tried ever more slowly, and others are done meanwhile', async () => {
  await enqueue('deadly');
  await enqueue('good', 1_000);
  const done: string[] = [];
  /** As a process that is killed: the connection breaks, and nobody notes anything. */
  const handle: JobHandler = async (trx, { key }) => {
    done.push(key);
    if (key !== 'deadly') return;
    const { rows: own } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
    await sql`select pg_terminate_backend(${own[0]!.pid}, 10000)`.execute(owner);
    await sql`select 1`.execute(trx);
  };
  at += 1_000;
  const deaths: string[] = [];
  for (let i = 0; i < 6; i += 1) await next(handle).catch((err: unknown) => deaths.push(String(err)));
  expect(done).toEqual([...Array<string>(5).fill('deadly'), 'good']);
  expect(deaths).toHaveLength(5);
  expect(await next(handle)).toBe(false);
  at += 1_000;
  await expect(next(handle)).rejects.toThrow();
  expect(await next(handle)).toBe(false);
  at += 2_000;
  expect(await next(async () => undefined)).toBe(true); // Repaired at last.
  expect(await rows()).toEqual([]);
});

test('a handler is bound to the account of its job', async () => {
  const other = await givenAccount();
  await enqueue('x');
  await next(async (trx) => {
    const seen = await sql<{ id: string }>`select current_account() as id`.execute(trx);
    expect(seen.rows[0]?.id).toBe(accountId);
    expect(other).not.toBe(accountId);
  });
  expect(await rows()).toEqual([]);
});

test('a running worker is woken by a commit, does timers in time, and tells how much is late', async () => {
  const stop = new AbortController();
  const metrics = new Registry();
  const done: string[] = [];
  const handlers = { 'test.do': async (_trx: unknown, { key }: { key: string }) => void done.push(key) };
  const clock = () => new Date();
  at = Date.now();
  const running = runJobs(
    { db, pool: pool('parkline_worker'), now: clock, wait: systemWait, log, handlers, metrics },
    stop.signal,
  );
  await enqueue('at once');
  await expect.poll(() => done, { timeout: 10_000 }).toEqual(['at once']);
  at = Date.now();
  await enqueue('timer', 300);
  await expect.poll(() => done, { timeout: 10_000 }).toEqual(['at once', 'timer']);
  expect(await metrics.metrics()).toMatch(/parkline_jobs_late 0/);
  stop.abort();
  await running;
});
