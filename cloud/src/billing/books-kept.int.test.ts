import { randomUUID } from 'node:crypto';
import type { BillingRun, Statement } from '@parkline/contract';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { givenTenant } from '../metering/testing.ts';
import { withAccount, withActor } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { bookRun, lockRun } from './book.ts';
import { billingRoutes } from './routes.ts';
import { goldenRecord } from './testing-golden.ts';

const database = await clonedDatabase();
const pool = database.pool();
const at = new Date('2026-11-02T08:00:00Z');
const deps = { newId, now: () => at };
const app = await createTestApp(database.app);
await app.register(billingRoutes({ db: database.app }));
const [ours, theirs] = [await givenAccount(database.owner), await givenAccount(database.owner)];
const finance = await loggedIn(database.owner, ours, ['finance_officer']);
const inputsHash = 'a'.repeat(64);

const book = (accountId: string, hash = inputsHash) =>
  withAccount(database.owner, accountId, (trx) =>
    bookRun(trx, accountId, { run: goldenRecord, inputsHash: hash }, deps),
  );

const get = async <T>(
  url: string,
  headers: Readonly<Record<string, string>> = finance,
): Promise<{ status: number; body: T }> => {
  const reply = await app.inject({ url, headers });
  return { status: reply.statusCode, body: reply.json() };
};
let runId = '';
const statements: Statement[] = [];
beforeAll(async () => {
  runId = (await book(ours)).id;
  const { body } = await get<BillingRun>(`/api/billing-runs/${runId}`);
  for (const { id } of body.statements.slice(0, 1))
    statements.push((await get<Statement>(`/api/statements/${id}`)).body);
});

describe('the books', () => {
  test('know the same inputs again', async () => {
    expect(await book(ours)).toEqual({ id: runId, state: 'draft', known: true });
  });

  test('stay as they are once locked', async () => {
    const { id } = await book(ours, 'b'.repeat(64));
    await withAccount(database.owner, ours, (trx) => lockRun(trx, ours, id, at));
    expect((await get<BillingRun>(`/api/billing-runs/${id}`)).body).toMatchObject({
      state: 'locked',
      lockedAt: at.toISOString(),
    });
    for (const text of [
      `update billing_run set site_name = 'x' where id = $1`,
      `update billing_run set state = 'draft', locked_at = null where id = $1`,
      'delete from billing_run where id = $1',
      `update statement set party = 'x' where run_id = $1`,
      'delete from statement where run_id = $1',
      'update statement_line set amount = 0 where run_id = $1',
      'delete from statement_line where run_id = $1',
      'update billing_interval set energy = 0 where run_id = $1',
      'delete from billing_interval where run_id = $1',
      `insert into billing_interval select account_id, run_id, 'x', at, party, energy, through, quality, rule, band,
         tariff_version, registers from billing_interval where run_id = $1 limit 2`,
      `insert into statement select gen_random_uuid(), account_id, run_id, 9, 'X', 'tenant', 0, 0, 0, 0, 0
         from statement where run_id = $1 limit 1`,
    ])
      await expect(pool.query(text, [id]), text).rejects.toThrow('is locked');
    // Locking again is no change, and a draft may go.
    await withAccount(database.owner, ours, (trx) => lockRun(trx, ours, id, new Date()));
    const draft = await book(ours, 'c'.repeat(64));
    await pool.query('delete from billing_run where id = $1', [draft.id]);
    expect((await get(`/api/billing-runs/${draft.id}`)).status).toBe(404);
  });

  test('are not locked while a cent is missing', async () => {
    const { id } = await book(ours, 'd'.repeat(64));
    const lock = () => withAccount(database.owner, ours, (trx) => lockRun(trx, ours, id, at));
    await pool.query(
      `update statement_line set amount = amount + 0.01
       where run_id = $1 and ord = 0 and statement_id = (select id from statement where run_id = $1 and party = 'A')`,
      [id],
    );
    await expect(lock()).rejects.toThrow('the lines of A are not its total');
    await pool.query(
      `update statement set total = total + 0.01, net = net + 0.01 where run_id = $1 and party = 'A'`,
      [id],
    );
    await expect(lock()).rejects.toThrow('the statements are not the supply bill');
    await pool.query('delete from billing_run where id = $1', [id]);
  });
});

test('a change that is under way is seen by whoever locks at the same moment', async () => {
  const { id } = await book(ours, 'e'.repeat(64));
  const client = await pool.connect();
  await client.query('begin');
  await client.query('update statement_line set amount = amount + 1 where run_id = $1 and ord = 0', [id]);
  const locking = withAccount(database.owner, ours, (trx) => lockRun(trx, ours, id, at)).then(
    () => 'locked',
    (error: unknown) => String(error),
  );
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  let outcome: string | undefined;
  void locking.then((text) => (outcome = text));
  await expect.poll(async () => outcome ?? (await pool.query(waiting)).rowCount, { timeout: 20_000 }).toBe(1);
  await client.query('commit');
  client.release();
  expect(await locking).toMatch('are not its total');
  await pool.query('delete from billing_run where id = $1', [id]);
});

describe('who may look', () => {
  const urls = () => [
    `/api/billing-runs/${runId}`,
    `/api/statements/${statements[0]!.id}`,
    `/api/statement-lines/${statements[0]!.lines[0]!.id}/intervals`,
  ];

  test('finance of another account finds nothing', async () => {
    const foreign = await loggedIn(database.owner, theirs, ['finance_officer']);
    expect((await get('/api/billing-runs', foreign)).body).toEqual({ items: [], next: null });
    for (const url of urls()) expect((await get(url, foreign)).status).toBe(404);
    for (const kind of ['billing-runs', 'statements'])
      expect((await get(`/api/${kind}/${randomUUID()}`)).status).toBe(404);
  });

  test('a tenant, an engineer and a stranger are refused', async () => {
    const tenant = await loggedIn(database.owner, ours, ['tenant_admin'], await givenTenant(pool, ours));
    const engineer = await loggedIn(database.owner, ours, ['facility_engineer']);
    for (const url of ['/api/billing-runs', ...urls()]) {
      expect((await get(url, tenant)).status).toBe(403);
      expect((await get(url, engineer)).status).toBe(403);
      expect((await get(url, { cookie: '' })).status).toBe(401);
    }
  });

  test('the database shows a tenant, or another account, none of its rows, whatever is asked', async () => {
    const tenantId = await givenTenant(pool, ours);
    const count = (accountId: string, tenant: string | null, table: string) =>
      withActor(database.app, { accountId, tenantId: tenant, buildings: null }, async (trx) => {
        const { rows } = await sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}`.execute(
          trx,
        );
        return rows[0]!.n;
      });
    for (const table of ['billing_run', 'statement', 'statement_line', 'billing_interval']) {
      expect([table, await count(ours, tenantId, table)]).toEqual([table, 0]);
      expect([table, await count(theirs, null, table)]).toEqual([table, 0]);
      expect(await count(ours, null, table)).toBeGreaterThan(0);
    }
  });
});
