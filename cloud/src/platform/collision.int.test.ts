import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createDb, type Db, withAccount } from './db.ts';
import { createApp } from './http.ts';
import { newId } from './ids.ts';
import { clonedDatabase } from './testing.ts';

const { owner, pool, url } = await clonedDatabase();
const [first, second] = [newId(), newId()];
await sql`insert into account (id, key, name)
  select id, id, '{"en": "Theirs", "zh": "对方"}' from unnest(${[first, second]}::uuid[]) id`.execute(owner);

const lines: Record<string, unknown>[] = [];
const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[0]) });
const db = createDb(pool(), log);
const app = await createApp({ log, authenticate: async () => undefined, permissions: new Set() });
let rivals: Promise<unknown>[] = [];
let [runs, most] = [0, 0];
beforeEach(() => {
  lines.length = 0;
  [runs, rivals] = [0, []];
});
afterAll(() => app.close());

const waitsFor: unknown = expect.stringMatching(/waits for .+ blocked by process/);
const change = 'update account set name = name where id = $1';
const touch = (trx: Db, id: string) =>
  sql`update account set name = ${JSON.stringify({ en: 'Ours', zh: '本方' })} where id = ${id}`.execute(trx);

/** While we have the first row somebody else takes the second and waits for the first. */
async function crossed(): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // Never the one that the database ends.
  await client.query(`begin; set local deadlock_timeout = '1h'`);
  await client.query(change, [second]);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const ending = client.query(change, [first]).then(() => client.query('commit'));
  rivals.push(ending.finally(() => client.end()));
  const isWaiting = sql<{ n: number }>`select cardinality(pg_blocking_pids(${rows[0]!.pid})) as n`;
  while ((await isWaiting.execute(owner)).rows[0]!.n === 0) await sleep(5);
}

/** Takes the first row, then the second; in the first `most` runs a rival does the same the other way round. */
const bothRows = () =>
  withAccount(db, first, async (trx) => {
    runs += 1;
    await sql`set local deadlock_timeout = '10ms'`.execute(trx);
    await touch(trx, first);
    if (runs <= most) await crossed();
    await touch(trx, second);
    return runs;
  });
app.get('/api/both-rows', { config: { permission: 'public' } }, bothRows);

test('two who wait for each other both get through: the one that the database ends begins again', async () => {
  most = 1;
  expect(await bothRows()).toBe(2);
  await Promise.all(rivals);
  const { rows } = await sql<{ name: { en: string } }>`
    select name from account where id in (${first}, ${second})`.execute(owner);
  expect(rows.map(({ name }) => name.en)).toEqual(['Ours', 'Ours']);
  const told = { code: '40P01', statement: expect.stringMatching(/^update account/) as unknown };
  expect(lines).toEqual([expect.objectContaining({ ...told, level: 40, detail: waitsFor })]);
});

test('a second time it is nobody’s fault: 503, when to come back, in the language of the reader', async () => {
  most = 2;
  const reply = await app.inject({ url: '/api/both-rows', headers: { 'accept-language': 'zh-CN' } });
  await Promise.all(rivals);
  expect([reply.statusCode, reply.headers['retry-after'], runs]).toEqual([503, '1', 2]);
  expect(reply.json()).toEqual({ code: 'busy', message: '他人正在修改相同的内容，请稍后重试。' });
  const facts = { code: '40P01', detail: waitsFor, statement: expect.stringMatching(/^update account/) };
  const { err } = lines.at(-1) as { err: object };
  expect(err).toMatchObject({ ...facts, firstTry: facts });
});

test('a transaction whose order cannot be told runs once more, too; any other failure does not', async () => {
  const fail = (state: string) =>
    withAccount(db, first, async (trx) => {
      runs += 1;
      if (runs === 1) await sql.raw(`do $$ begin raise sqlstate '${state}'; end $$`).execute(trx);
      return runs;
    });
  expect(await fail('40001')).toBe(2);
  runs = 0;
  await expect(fail('23505')).rejects.toMatchObject({ code: '23505' });
  expect(runs).toBe(1);
});
