import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { permissionsOf } from './identity/index.ts';
import { givenAccount, loggedIn } from './identity/testing.ts';
import { createDb, withAccount } from './platform/db.ts';
import { newId } from './platform/ids.ts';
import { clonedDatabase } from './platform/testing.ts';
import { seedPlaces } from './places/index.ts';
import { type FullAccount, givenFullAccount } from './testing.ts';

// Looks straight into the tables, without any WHERE clause, as a request bounded to buildings.
const { url, pool } = await clonedDatabase();
const owner = pool();
const db = createDb(owner);
const reader = `r_${randomBytes(6).toString('hex')}`;
let ours: FullAccount;
let client: pg.Client;
let tables: string[] = [];
let here: string;
let there: string;

beforeAll(async () => {
  ours = await givenFullAccount(owner);
  const word = (text: string) => ({ en: text, zh: text });
  const plan = {
    site: { key: 'other', name: word('Other'), timezone: 'Asia/Shanghai', currency: 'CNY' },
    buildings: [
      { key: 'empty', name: word('Empty'), floors: [{ key: 'empty-1', name: word('1'), level: 0 }] },
    ],
  };
  const places = await withAccount(db, ours.accountId, (trx) => seedPlaces(trx, ours.accountId, plan, newId));
  there = places.buildings.get('empty')!;
  const { rows } = await owner.query<{ id: string }>(
    `select building_id as id from equipment where account_id = $1 limit 1`,
    [ours.accountId],
  );
  here = rows[0]!.id;
  const found = await owner.query<{ name: string }>(
    `select c.relname as name from pg_class c
     where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and c.relrowsecurity order by 1`,
  );
  tables = found.rows.map(({ name }) => name);
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

/** How many rows of each table a request with these buildings sees; tables without any are left out. */
async function sight(buildings: readonly string[] | null): Promise<Record<string, number>> {
  await client.query('begin');
  await client.query(
    `select set_config('app.account_id', $1, true), set_config('app.tenant_id', '', true),
       set_config('app.building_ids', $2, true)`,
    [ours.accountId, buildings === null ? '' : `{${buildings.join(',')}}`],
  );
  const seen: Record<string, number> = {};
  for (const table of tables) {
    const { rows } = await client.query<{ n: number }>(`select count(*)::int as n from ${table}`);
    if (rows[0]!.n > 0) seen[table] = rows[0]!.n;
  }
  await client.query('rollback');
  return seen;
}

test('who was granted another building sees its places, the people and what belongs to nobody, and nothing else', async () => {
  const everything = await sight(null);
  const seen = await sight([there]);
  expect(seen).toMatchObject({ building: 1, floor: 1, site: 1 });
  const placeless = ['account', 'audit_event', 'audit_head', 'display_token', 'file', 'import_batch', 'job'];
  // What holds for the whole account: everybody of the staff knows of it, only who acts everywhere changes it.
  const everywhere = ['identity_provider', 'release', 'rollout'];
  const people = ['person', 'person_area', 'role_grant', 'session', 'totp', 'work_order_count'];
  const rest = Object.keys(seen).filter((table) => !['building', 'floor', 'site'].includes(table));
  expect(rest.filter((table) => ![...placeless, ...everywhere, ...people].includes(table))).toEqual([]);
  // It means something only where there is more to see.
  expect(Object.keys(everything)).toEqual(
    expect.arrayContaining([
      'equipment',
      'fault',
      'gateway',
      'lease',
      'point',
      'point_latest',
      'space',
      'tenant',
      'usage_point',
      'work_order',
    ]),
  );
});

test('who was granted the building of everything sees what lies in it, and no bill', async () => {
  const everything = await sight(null);
  const seen = await sight([here]);
  for (const table of [
    'equipment',
    'fault',
    'gateway',
    'lease',
    'point',
    'point_latest',
    'usage_point',
    'work_order',
  ])
    expect([table, seen[table]]).toEqual([table, everything[table]]);
  for (const table of ['billing_run', 'statement', 'statement_line', 'tariff'])
    expect(seen[table]).toBeUndefined();
});

test('no building at all is not every building', async () => {
  expect((await sight([])).equipment).toBeUndefined();
});

test('a role on a site holds for the buildings of the site, and two grants add up', async () => {
  const accountId = await givenAccount(db);
  const [one, two, role] = [newId(), newId(), 'technician'];
  expect(
    permissionsOf([
      { role, buildings: [one] },
      { role, buildings: [two] },
    ]).get('fault.read'),
  ).toEqual([one, two]);
  expect(
    permissionsOf([
      { role, buildings: [one] },
      { role, buildings: null },
    ]).get('fault.read'),
  ).toBeNull();
  expect(permissionsOf([{ role: 'emperor', buildings: null }]).size).toBe(0);
  const { rows: sites } = await owner.query<{ id: string }>(
    'select site_id as id from building where id = $1',
    [here],
  );
  const { cookie } = await loggedIn(db, ours.accountId, ['technician'], null, { siteId: sites[0]!.id });
  const { rows } = await owner.query<{ grants: unknown }>(
    `select grants from session_find(sha256($1::bytea), now(), '1 hour', '1 hour')`,
    [cookie.split('=')[1]],
  );
  const { rows: buildings } = await owner.query<{ id: string }>(
    'select id from building where site_id = $1 order by id',
    [sites[0]!.id],
  );
  expect(rows).toEqual([{ grants: [{ role: 'technician', buildings: buildings.map(({ id }) => id) }] }]);
  // A site of another account cannot be named.
  await expect(loggedIn(db, accountId, ['technician'], null, { siteId: sites[0]!.id })).rejects.toThrow(
    'foreign key',
  );
});
