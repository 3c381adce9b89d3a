import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { assertBoundByPolicies, createDb, type Db, withAccount } from './db.ts';
import { clonedDatabase, inLanes } from './testing.ts';

const { owner, app, ingest, pool } = await clonedDatabase();

const rowsOf = async <T>(db: Db, text: string): Promise<T[]> => (await sql.raw<T>(text).execute(db)).rows;
const ours = `c.relnamespace = 'public'::regnamespace and not exists (
  select from pg_depend d where d.objid = c.oid and d.deptype = 'e')`;

test('every table with an account has row-level security, forced on its owner too, and a policy', async () => {
  const open = await rowsOf<{ relname: string }>(
    owner,
    `select c.relname from pg_class c
     where c.relkind in ('r', 'p') and ${ours}
       and (c.relname = 'account' or exists (
         select from pg_attribute a where a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped))
       and not (c.relrowsecurity and c.relforcerowsecurity
         and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'by_account'))`,
  );
  expect(open).toEqual([]);
});

const withAccountColumn = `c.relkind in ('r', 'p') and ${ours} and (c.relname = 'account' or exists (
  select from pg_attribute a where a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped))`;

test('every table with an account says what a tenant sees of it, by a policy that only ever takes away', async () => {
  const rules = await rowsOf<{ table: string; bound: boolean; sees: string | null }>(
    owner,
    `select c.relname as table, pg_get_expr(p.polqual, p.polrelid) as sees,
       coalesce(not p.polpermissive and p.polcmd = '*'
         and (p.polroles = '{0}' or 'parkline_app'::regrole = any (p.polroles)), false) as bound
     from pg_class c left join pg_policy p on p.polrelid = c.oid and p.polname = 'by_tenant'
     where ${withAccountColumn} order by 1`,
  );
  expect(rules.filter(({ bound }) => !bound).map(({ table }) => table)).toEqual([]);
  const seen = rules.filter(({ sees }) => !sees?.includes(`CURRENT_USER = 'parkline_usage'`));
  // Whoever adds a table here says in its migration which of its rows are a tenant's own.
  expect(seen.map(({ table }) => table)).toEqual([
    'account',
    'audit_event',
    'building',
    'floor',
    'handover_reading',
    'idempotency_key',
    'invitation',
    'known_device',
    'lease',
    'lease_space',
    'passkey',
    'person',
    'person_identity',
    'recovery_code',
    'role_grant',
    'session',
    'site',
    'space',
    'space_area',
    'tariff',
    'tariff_version',
    'tenant',
    'totp',
    'usage_point',
  ]);
});

test('of what tenants see they write only what is their own people’s', async () => {
  const open = await rowsOf<{ act: string; table: string }>(
    owner,
    `select a.act, c.relname as table
     from pg_class c join pg_policy p on p.polrelid = c.oid and p.polname = 'by_tenant'
     cross join (values ('insert', 'a'), ('update', 'w'), ('delete', 'd')) as a (act, cmd)
     where ${withAccountColumn}
       and case a.act when 'delete' then has_table_privilege('parkline_app', c.oid, 'delete')
         else has_any_column_privilege('parkline_app', c.oid, a.act) end
       and pg_get_expr(p.polqual, p.polrelid) not like '%CURRENT_USER = ''parkline_usage''%'
       and not exists (select from pg_policy d where d.polrelid = c.oid and d.polcmd::text = a.cmd and not d.polpermissive
         and coalesce(pg_get_expr(d.polqual, d.polrelid), pg_get_expr(d.polwithcheck, d.polrelid)) = '(current_tenant() IS NULL)')
     order by 1, 2`,
  );
  const writers = (wanted: string) => open.filter(({ act }) => act === wanted).map(({ table }) => table);
  // Everything else calls staff_writes in its migration. Whoever adds a table here says why a tenant writes it.
  const added = [
    'idempotency_key',
    'invitation',
    'passkey',
    'person_identity',
    'recovery_code',
    'role_grant',
  ];
  expect(writers('insert')).toEqual(['audit_event', ...added, 'person', 'session', 'totp'].toSorted());
  expect(writers('update')).toEqual([
    ...['idempotency_key', 'invitation', 'passkey', 'person', 'recovery_code', 'session', 'totp'],
  ]);
  expect(writers('delete')).toEqual([...added, 'known_device', 'session', 'totp'].toSorted());
});

test('every table with an account says what who was granted a building sees of it', async () => {
  const loose = await rowsOf<{ table: string }>(
    owner,
    `select c.relname as table from pg_class c where ${withAccountColumn} and not exists (
       select from pg_policy p where p.polrelid = c.oid and p.polname = 'by_building' and not p.polpermissive
         and p.polcmd = '*' and 'parkline_app'::regrole = any (p.polroles))`,
  );
  expect(loose).toEqual([]); // One of the four procedures of migration 0060 says it.
});

test('what whoever may read and only who acts everywhere may write, nobody else deletes', async () => {
  const loose = await rowsOf<{ table: string }>(
    owner,
    `select c.relname as table from pg_class c
     join pg_policy p on p.polrelid = c.oid and p.polname = 'by_building'
     where ${ours} and pg_get_expr(p.polqual, p.polrelid) like '(true OR %'
       and has_table_privilege('parkline_app', c.oid, 'delete')
       and not exists (select from pg_policy d where d.polrelid = c.oid and d.polcmd = 'd' and not d.polpermissive
         and pg_get_expr(d.polqual, d.polrelid) = pg_get_expr(p.polwithcheck, p.polrelid))`,
  );
  expect(loose).toEqual([]);
});

test('routes ask as the person who asks, never for a whole account', async () => {
  const files = globSync('**/*{routes,live}*.ts', { cwd: join(import.meta.dirname, '..') });
  const asking = files.filter((file) => !file.includes('.test.') && file !== 'identity/routes.ts');
  expect(asking.length).toBeGreaterThan(8);
  const wide = asking.filter((file) =>
    readFileSync(join(import.meta.dirname, '..', file), 'utf8').includes('withAccount('),
  );
  expect(wide).toEqual([]); // In identity nobody is known yet: login and set-up.
});

test('a table without an account is closed to the API', async () => {
  const open = await rowsOf<{ relname: string }>(
    owner,
    `select c.relname from pg_class c
     where c.relkind in ('r', 'p', 'v', 'm') and ${ours} and c.relname <> 'account'
       and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'account_id')
       and has_table_privilege('parkline_app', c.oid, 'select, insert, update, delete')`,
  );
  expect(open).toEqual([]);
});

test('only ingest, the gate and background work see more than one account, and only what they need', async () => {
  const wide = await rowsOf<{ table: string; role: string }>(
    owner,
    `select p.polrelid::regclass::text as table, r.rolname as role
     from pg_policy p join pg_roles r on r.oid = any (p.polroles)
     where p.polpermissive and pg_get_expr(p.polqual, p.polrelid) = 'true' order by 2, 1`,
  );
  expect(wide.filter(({ role }) => role === 'parkline_app')).toEqual([]);
  expect(wide.filter(({ role }) => role === 'parkline_gate').map(({ table }) => table)).toEqual([
    'account',
    'api_key',
    'building',
    'claim_code',
    'display_token',
    ...['gateway', 'gateway', 'gateway_credential'], // To read, and to throw out again after a restore.
    'identity_provider',
    'invitation',
    'known_device',
    'oidc_flow',
    'passkey',
    'password_reset',
    'person',
    'role_grant',
    'session',
    'totp',
  ]);
  expect(wide.filter(({ role }) => role === 'parkline_ingest').map(({ table }) => table)).not.toContain(
    'person',
  );
  expect(wide.filter(({ role }) => role === 'parkline_worker').map(({ table }) => table)).toEqual([
    'account',
    'gateway_event',
    'gateway_event',
    'idempotency_key',
    'job',
    'known_device',
    'webhook',
    'webhook_delivery',
    'webhook_former_secret',
  ]);
});

test('our roles own no table, bypass nothing and cannot log in', async () => {
  // Roles are the server's: a starter beside this test may have made the logins that take them on (deploy/local/logins.ts).
  const roles = await rowsOf<{ rolname: string }>(
    owner,
    `select rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb,
       (select count(*)::int from pg_class c where c.relowner = r.oid) as owned
     from pg_roles r where rolname like 'parkline\\_%' and rolname not like '%\\_login' order by 1`,
  );
  const bound = {
    rolsuper: false,
    rolbypassrls: false,
    rolcanlogin: false,
    rolcreaterole: false,
    rolcreatedb: false,
    owned: 0,
  };
  const names = roles.map(({ rolname }) => rolname);
  expect(names).toEqual(
    expect.arrayContaining([
      'parkline_app',
      'parkline_gate',
      'parkline_ingest',
      'parkline_usage',
      'parkline_worker',
    ]),
  );
  expect(roles).toEqual(names.map((rolname) => ({ rolname, ...bound })));
});

test('what runs with the rights of its owner has a pinned search path and is not open to all', async () => {
  const loose = await rowsOf<{ name: string }>(
    owner,
    `select p.oid::regprocedure::text as name from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.prosecdef
       and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
       and (not coalesce(array_to_string(p.proconfig, ','), '') like 'search_path=%pg_temp'
         or has_function_privilege('public', p.oid, 'execute'))`,
  );
  expect(loose).toEqual([]);
});

test('the public schema is closed to everybody else', async () => {
  const [row] = await rowsOf<{ usage: boolean; make: boolean }>(
    owner,
    `select bool_or(has_schema_privilege(r, 'public', 'create')) as make
     from unnest(array['parkline_app', 'parkline_ingest', 'parkline_gate']) as r`,
  );
  expect(row).toEqual({ make: false });
});

test('outside an account nothing is visible, and nothing can be written into another', async () => {
  const [one, two] = await twoAccounts();
  expect(await app.selectFrom('account').selectAll().execute()).toEqual([]);
  const seen = await withAccount(app, one, (trx) => trx.selectFrom('account').select('id').execute());
  expect(seen).toEqual([{ id: one }]);
  const write = (accountId: string) =>
    withAccount(app, one, (trx) =>
      trx
        .insertInto('auditEvent')
        .values({ accountId, ...event })
        .execute(),
    );
  await write(one);
  await expect(write(two)).rejects.toThrow('row-level security');
});

test('the account of one request never shows in the next on the same connection', async () => {
  const accounts = await twoAccounts();
  // Three connections for a thousand requests, a third of which fail or forget the account.
  const shared = createDb(pool('parkline_app', 3));
  const wrong: unknown[] = [];
  const request = async (i: number) => {
    const account = accounts[i % 2] ?? '';
    if (i % 7 === 0) {
      const leaked = await shared.selectFrom('account').select('id').execute();
      if (leaked.length > 0) wrong.push(leaked);
      return;
    }
    try {
      const rows = await withAccount(shared, account, async (trx) => {
        const found = await trx.selectFrom('account').select('id').execute();
        if (i % 5 === 0) await sql`select 1 / 0`.execute(trx);
        return found;
      });
      if (rows.length !== 1 || rows[0]?.id !== account) wrong.push(rows);
    } catch (error) {
      if (!String(error).includes('division by zero')) throw error;
    }
  };
  await inLanes(1_000, 50, request);
  expect(wrong).toEqual([]);
});

test('a process that row-level security does not bind refuses to start', async () => {
  await expect(assertBoundByPolicies(owner)).rejects.toThrow('not bound by row-level security');
  await assertBoundByPolicies(app);
  await assertBoundByPolicies(ingest);
});

test('an event once noted cannot be read, changed or taken back by the API', async () => {
  const [account] = await twoAccounts();
  const attempt = (text: string) => withAccount(app, account, (trx) => sql.raw(text).execute(trx));
  for (const text of [
    'select * from audit_event',
    `update audit_event set action = 'x'`,
    'delete from audit_event',
  ])
    await expect(attempt(text)).rejects.toThrow('permission denied');
});

async function twoAccounts(): Promise<[string, string]> {
  const made = [crypto.randomUUID(), crypto.randomUUID()] as [string, string];
  for (const id of made)
    await withAccount(owner, id, (trx) =>
      trx
        .insertInto('account')
        .values({ id, key: `k-${id}`, name: { en: 'x', zh: 'x' } })
        .execute(),
    );
  return made;
}

const event = { at: new Date(0), personId: null, action: 'thing.done', subjectId: null, content: {} };
