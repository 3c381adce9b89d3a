import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clonedDatabase } from './platform/testing.ts';
import { type FullAccount, givenFullAccount } from './testing.ts';

// Looks straight into the tables, with no WHERE clause at all: as somebody who may read every one of them and is bound by
// the same policies as the API.
const { url, pool } = await clonedDatabase();
const owner = pool();
const reader = `r_${randomBytes(6).toString('hex')}`;
let tables: string[] = [];
let ours: FullAccount;
let theirs: FullAccount;
let client: pg.Client;

beforeAll(async () => {
  [ours, theirs] = [await givenFullAccount(owner), await givenFullAccount(owner)];
  const { rows } = await owner.query<{ name: string }>(
    `select c.relname as name from pg_class c
     where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and c.relrowsecurity order by 1`,
  );
  tables = rows.map(({ name }) => name);
  await owner.query(`create role ${reader} nologin nosuperuser nobypassrls in role parkline_app`);
  await owner.query(`grant select on ${tables.join(', ')} to ${reader}`);
  client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`set role ${reader}`);
});
afterAll(async () => {
  await client.end();
  await owner.query(`drop owned by ${reader}`);
  await owner.query(`drop role ${reader}`);
});

/** Every row of every table, as text, that a session with these settings sees; tables without any are left out. */
async function sight(accountId: string, tenantId: string | undefined): Promise<Map<string, string[]>> {
  await client.query('begin');
  await client.query(`select set_config('app.account_id', $1, true), set_config('app.tenant_id', $2, true)`, [
    accountId,
    tenantId ?? '',
  ]);
  const seen = new Map<string, string[]>();
  for (const table of tables) {
    const { rows } = await client.query<{ row: string }>(`select to_jsonb(t)::text as row from ${table} t`);
    if (rows.length > 0) seen.set(table, rows.map(({ row }) => row).toSorted());
  }
  await client.query('rollback');
  return seen;
}

const idsIn = (seen: Map<string, string[]>, tablesOf = [...seen.keys()]): Set<string> =>
  new Set(
    tablesOf.flatMap((table) =>
      (seen.get(table) ?? []).flatMap((row) => (JSON.parse(row) as { id?: string }).id ?? []),
    ),
  );

test('staff of one account see nothing of the other, in any table', async () => {
  const [mine, yours] = [await sight(ours.accountId, undefined), await sight(theirs.accountId, undefined)];
  // Enough lies there to be seen.
  expect(mine.size).toBeGreaterThan(25);
  for (const [table, rows] of mine)
    for (const row of rows) expect([table, row.includes(theirs.accountId)]).toEqual([table, false]);
  const shared = [...idsIn(mine)].filter((id) => idsIn(yours).has(id));
  expect(shared.filter((id) => String(id).length === 36)).toEqual([]);
});

test('a tenant sees the own people, leases and spaces, what they lie in, and no other row of any table', async () => {
  const atelier = ours.tenants.get('atelier');
  const bistro = ours.tenants.get('bistro');
  const seen = await sight(ours.accountId, atelier);
  expect([...seen.keys()]).toEqual([
    ...[
      'account',
      'building',
      'floor',
      'invitation',
      'lease',
      'lease_space',
      'person',
      'role_grant',
      'session',
      'site',
      'space',
      'space_area',
    ],
    ...['tenant', 'usage_point'],
  ]);
  const keys = (table: string) =>
    (seen.get(table) ?? []).map((row) => (JSON.parse(row) as { key: string }).key);
  expect([keys('tenant'), keys('lease'), keys('space'), keys('usage_point')]).toEqual([
    ['atelier'],
    ['atelier-101'],
    ['m-101'],
    ['m-101'],
  ]);
  const idsOf = (table: string, column: string) =>
    (seen.get(table) ?? []).map((row) => (JSON.parse(row) as Record<string, unknown>)[column]);
  expect(idsOf('space_area', 'space_id')).toEqual(idsOf('space', 'id'));
  expect(idsOf('invitation', 'tenant_id')).toEqual([atelier]);
  const text = [...seen.values()].flat().join('\n');
  expect(text).not.toContain(bistro);
  expect(text).not.toContain(theirs.accountId);
  expect(seen.get('person')).toHaveLength(ours.peopleOfAtelier);

  const other = await sight(ours.accountId, bistro);
  expect((other.get('space') ?? []).length).toBe(2);
  // Both lease m-101, one after the other, in the same building.
  const common = [...idsIn(seen, ['tenant', 'lease', 'person', 'session'])];
  expect(common.filter((id) => idsIn(other).has(id))).toEqual([]);
});

test('a tenant that is none, of another account or invented, sees the operator and nothing else', async () => {
  for (const tenant of [theirs.tenants.get('atelier'), crypto.randomUUID()])
    expect([...(await sight(ours.accountId, tenant)).keys()]).toEqual(['account']);
});

test('a tenant writes about its own people and nothing else', async () => {
  const person = async (role: string) => {
    const { rows } = await owner.query<{ id: string }>(
      'select person_id as id from role_grant where account_id = $1 and role = $2 order by id limit 1',
      [ours.accountId, role],
    );
    return rows[0]!.id;
  };
  const app = await pool('parkline_app').connect();
  const attempt = async (text: string, values: unknown[] = []) => {
    await app.query('begin');
    try {
      await app.query(
        `select set_config('app.account_id', $1, true), set_config('app.tenant_id', $2, true)`,
        [ours.accountId, ours.tenants.get('atelier')],
      );
      return (await app.query(text, values)).rowCount;
    } finally {
      await app.query('rollback');
    }
  };
  const session = `insert into session (id, account_id, person_id, token_hash, created_at, seen_at, expires_at)
    values (gen_random_uuid(), $1, $2, sha256(random()::text::bytea), now(), now(), now())`;
  const deed = `insert into audit_event (account_id, at, person_id, action, content)
    values ($1, now(), $2, 'thing.done', '{}')`;
  for (const text of [session, deed]) {
    expect(await attempt(text, [ours.accountId, await person('tenant_admin')])).toBe(1);
    // Somebody of the staff: the way to become one.
    await expect(attempt(text, [ours.accountId, await person('account_admin')])).rejects.toThrow(
      'row-level security',
    );
  }
  const people = ours.peopleOfAtelier;
  expect(await attempt('update person set password_hash = password_hash')).toBe(people);

  for (const table of ['site', 'building', 'floor', 'space', 'space_area', 'tenant', 'lease', 'lease_space'])
    expect([table, await attempt(`update ${table} set account_id = account_id`)]).toEqual([table, 0]);
  const lease = `insert into lease select (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(), 'key', 'more'))).*
    from lease l`;
  await expect(attempt(lease)).rejects.toThrow('row-level security');

  const { rows } = await owner.query<{ name: string }>(
    `select c.relname as name from pg_class c
     where c.relname = any ($1) and has_table_privilege('parkline_app', c.oid, 'delete')`,
    [tables],
  );
  const deleted: Record<string, number | null> = {};
  for (const { name } of rows) deleted[name] = await attempt(`delete from ${name}`);
  // The own people's sessions, what they were granted, and who was invited.
  const some = Object.entries(deleted).filter(([, count]) => count !== 0);
  expect(Object.fromEntries(some)).toEqual({
    invitation: 1,
    role_grant: people - 1,
    session: people - 1,
  });
  app.release();
});

test('the functions that read readings answer staff and nobody of a tenant', async () => {
  const point = ours.ids['/api/points'];
  const span = `'2026-10-01'::timestamptz, '2026-12-01'::timestamptz`;
  const calls = {
    reading_raw: `reading_raw($1, ${span}, 10)`,
    reading_gaps: `reading_gaps($1, ${span}, '2026-12-01', '1 hour', '1 hour', 10)`,
    reading_buckets: `reading_buckets($1, ${span}, 'day', 'UTC')`,
    reading_register_at: `reading_register_at($1, array['2026-11-01Z'::timestamptz])`,
    reading_register_last: `reading_register_last($1, ${span})`,
  };
  const { rows } = await owner.query<{ name: string }>(
    `select p.proname as name from pg_proc p where p.proname like 'reading\\_%'
       and has_function_privilege('parkline_app', p.oid, 'execute') order by 1`,
  );
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(calls).toSorted());

  const app = await pool('parkline_app').connect();
  const rowsOf = async (call: string, tenant: string, id = point) => {
    await app.query('begin');
    await app.query(`select set_config('app.account_id', $1, true), set_config('app.tenant_id', $2, true)`, [
      ours.accountId,
      tenant,
    ]);
    const found = await app.query<object>(`select * from ${call}`, [id]);
    await app.query('rollback');
    return found.rows;
  };
  const tenant = ours.tenants.get('atelier') ?? '';
  for (const [name, call] of Object.entries(calls)) {
    const nothing = await rowsOf(call, '', crypto.randomUUID());
    expect([name, await rowsOf(call, '')]).not.toEqual([name, nothing]);
    // Word for word what is said of a point that does not exist.
    expect([name, await rowsOf(call, tenant)]).toEqual([name, nothing]);
  }
  app.release();
});
