import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { givenAccount } from '../identity/testing.ts';
import { type Db, withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { seedTenancy } from './seed.ts';
import { givenTenancy, tenancyPlan } from './testing.ts';

const { owner } = await clonedDatabase();

/** Every row with the transaction that last wrote it. */
async function rowsOf(db: Db, accountId: string): Promise<unknown> {
  const { rows } = await sql`
    select 'tenant' as of, id, xmin::text from tenant where account_id = ${accountId}
    union all select 'lease', id, xmin::text from lease where account_id = ${accountId}
    union all select 'space', id, xmin::text from space where account_id = ${accountId}
    union all select 'held', space_id, xmin::text from lease_space where account_id = ${accountId}
    order by 1, 2, 3`.execute(db);
  return rows;
}

test('a second run changes nothing', async () => {
  const account = await givenAccount(owner);
  await givenTenancy(owner, account);
  const before = await rowsOf(owner, account);
  await givenTenancy(owner, account);
  expect(await rowsOf(owner, account)).toEqual(before);
});

test('a plan that changed is followed: another end, another tenant, other spaces', async () => {
  const account = await givenAccount(owner);
  await givenTenancy(owner, account);
  const [first, second, third, fourth] = tenancyPlan.leases;
  const leases = [
    // Both move by a month in one plan; in between they would overlap.
    { ...first!, to: '2026-08-01', spaces: ['north-101', 'north-hall'] },
    { ...second!, from: '2026-08-01' },
    { ...third!, from: '2026-08-01', tenant: 'aurora' },
    fourth!,
  ];
  await givenTenancy(owner, account, { ...tenancyPlan, leases });
  const { rows } = await sql<{ lease: string; tenant: string; held: string }>`
    select l.key as lease, t.key as tenant, string_agg(s.key || ' ' || daterange(ls.from_date, ls.to_date), ', ' order by s.key) as held
    from lease l join lease_space ls on ls.lease_id = l.id join space s on s.id = ls.space_id
    join tenant t on t.id = ls.tenant_id where l.account_id = ${account} group by 1, 2 order by 1`.execute(
    owner,
  );
  expect(rows.slice(0, 3)).toEqual([
    {
      lease: 'aurora-1',
      tenant: 'aurora',
      held: 'north-101 [2025-01-01,2026-08-01), north-hall [2025-01-01,2026-08-01)',
    },
    { lease: 'aurora-2', tenant: 'aurora', held: 'north-102 [2026-08-01,)' },
    { lease: 'birch-1', tenant: 'aurora', held: 'north-101 [2026-08-01,)' },
  ]);
});

test('no space is let twice on one day, neither by a new lease nor by a longer one', async () => {
  const account = await givenAccount(owner);
  const { spaces } = await givenTenancy(owner, account);
  const seed = (lease: object) =>
    withAccount(owner, account, (trx) =>
      seedTenancy(
        trx,
        account,
        {
          leases: [
            { key: 'more', tenant: 'aurora', spaces: ['south-101'], from: '2026-12-31', to: null, ...lease },
          ],
        },
        spaces,
        newId,
      ),
    );
  await expect(seed({})).rejects.toThrow('space south-101 is leased by birch-2 on some of the same days');
  await seed({ from: '2027-01-01' });
  await expect(
    seed({ key: 'birch-2', tenant: 'birch', from: '2024-01-01', to: '2027-01-02' }),
  ).rejects.toThrow('space south-101 is leased by');
});

test('of two who let a space at once one wins', async () => {
  const account = await givenAccount(owner);
  const { spaces } = await givenTenancy(owner, account);
  const race = await Promise.allSettled(
    ['aurora', 'birch'].map((tenant) =>
      withAccount(owner, account, (trx) =>
        seedTenancy(
          trx,
          account,
          {
            leases: [{ key: `${tenant}-hall`, tenant, spaces: ['north-hall'], from: '2026-01-01', to: null }],
          },
          spaces,
          newId,
        ),
      ),
    ),
  );
  expect(race.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});
