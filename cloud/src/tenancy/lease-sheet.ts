/* eslint-disable @typescript-eslint/consistent-type-definitions -- values of a kind are JSON by their index, which an interface has not */
import './tables.ts';
import { sql } from 'kysely';
import {
  type Fault,
  keptOr,
  listOf,
  type Prepared,
  type RowFault,
  type Scope,
  type SheetKind,
  type Stored,
  unknownKey,
  type Wanted,
} from '../imports/index.ts';
import { idsByKey, keyColumn, lockOf, refColumn, removeAll } from '../places/index.ts';
import type { Db } from '../platform/db.ts';
import { askToFollow, followLeases, inStatements } from './follow-leases.ts';
import { overlaps } from './lease-days.ts';
import { giveSpaces } from './tenant-records.ts';
import { tenantWord } from './tenant-sheets.ts';

type LeaseValues = {
  readonly key: string;
  readonly tenant: string;
  readonly spaces: readonly string[];
  readonly from: string;
  readonly to: string | null;
  readonly headcount: number | null;
};

export const leaseSheet: SheetKind<LeaseValues> = {
  ...{ name: 'leases', noun: 'lease', title: { en: 'Leases', zh: '租约' } },
  ...{ reads: 'tenancy.read', writes: 'tenancy.write' },
  columns: [
    keyColumn('aurora-2026'),
    refColumn('tenant', '租户编号', 'aurora'),
    { name: 'spaces', zh: '空间编号', type: 'list', required: true, example: 'b1-101' },
    { name: 'from', zh: '起租日', type: 'day', required: true, example: '2026-01-01' },
    { name: 'to', zh: '到期日（不含）', type: 'day', example: '2029-01-01' },
    { name: 'headcount', zh: '人数', type: 'number', decimals: 0, min: 0, max: 1_000_000, example: '12' },
  ],
  prepare: prepareLeases,
};

interface FoundLease extends LeaseValues {
  readonly id: string;
  readonly version: number;
  readonly movedIn: string | null;
  readonly movedOut: string | null;
}

async function prepareLeases(trx: Db, scope: Scope): Promise<Prepared<LeaseValues>> {
  const { accountId, locks } = scope;
  const tenants = await idsByKey(trx, 'tenant', accountId);
  const spaces = await idsByKey(trx, 'space', accountId);
  const { rows } = await sql<FoundLease>`
    select r.id, r.version, r.key, t.key as tenant, r.from_date::text as "from", r.to_date::text as "to", r.headcount,
      r.moved_in_on::text as moved_in, r.moved_out_on::text as moved_out,
      array(select s.key from lease_space ls join space s on s.id = ls.space_id where ls.lease_id = r.id) as spaces
    from lease r join tenant t on t.id = r.tenant_id where r.account_id = ${accountId} order by r.id ${lockOf(locks)}`.execute(
    trx,
  );
  const stored = new Map<string, Stored<LeaseValues>>(
    rows.map(({ id, version, movedIn: _in, movedOut: _out, spaces: held, ...values }) => [
      values.key,
      { id, version, values: { ...values, spaces: listOf(held) } },
    ]),
  );
  const moves = new Map(rows.map(({ key, movedIn, movedOut }) => [key, { movedIn, movedOut }]));
  return {
    stored,
    read(cells, before): LeaseValues | readonly Fault[] {
      const values = {
        ...{ key: cells['key'] as string, tenant: cells['tenant'] as string, from: cells['from'] as string },
        spaces: (cells['spaces'] ?? []) as readonly string[],
        to: keptOr<string | null>(cells['to'], before?.values.to, null),
        headcount: keptOr<number | null>(cells['headcount'], before?.values.headcount, null),
      };
      const faults: Fault[] = [];
      if (!tenants.has(values.tenant)) faults.push(unknownKey('tenant', tenantWord, values.tenant));
      for (const key of values.spaces)
        if (!spaces.has(key)) faults.push(unknownKey('spaces', { en: 'space', zh: '空间' }, key));
      if (values.to !== null && values.to <= values.from)
        faults.push({
          field: 'to',
          text: { en: 'The end must be later than the beginning.', zh: '到期日必须晚于起租日。' },
        });
      return faults.length > 0 ? faults : values;
    },
    check: (wanted, amiss) => doubleLets(stored, moves, wanted, amiss),
    write: (wanted) => writeLeases(trx, scope, wanted, { tenants, spaces }),
    async remove(things) {
      const ids = things.map(({ id }) => id);
      await askToFollow(trx, scope);
      await sql`delete from lease_space where account_id = ${accountId} and lease_id = any (${ids}::uuid[])`.execute(
        trx,
      );
      const faults = await removeAll(trx, 'lease', accountId, things);
      await followLeases(
        trx,
        scope,
        things.flatMap(({ values }) => values.spaces.map((key) => spaces.get(key) ?? '')),
      );
      return faults;
    },
  };
}

type Moves = ReadonlyMap<string, { readonly movedIn: string | null; readonly movedOut: string | null }>;

/** Spaces that would be let twice on one day, by the row that would do so; leases that are `amiss` may become any other. Pure. */
function doubleLets(
  stored: ReadonlyMap<string, Stored<LeaseValues>>,
  moves: Moves,
  wanted: readonly Wanted<LeaseValues>[],
  amiss: ReadonlySet<string>,
): RowFault[] {
  const after = new Map(
    [...stored].filter(([key]) => !amiss.has(key)).map(([key, { values }]) => [key, values]),
  );
  for (const { values } of wanted) after.set(values.key, values);
  const bySpace = new Map<string, LeaseValues[]>();
  for (const lease of after.values())
    for (const space of lease.spaces) bySpace.set(space, [...(bySpace.get(space) ?? []), lease]);
  const days = ({ key, from, to }: LeaseValues) => ({
    from,
    to,
    ...(moves.get(key) ?? { movedIn: null, movedOut: null }),
  });
  return wanted.flatMap(({ row, values }) =>
    values.spaces.flatMap((space) => {
      const other = bySpace
        .get(space)
        ?.find((one) => one.key !== values.key && overlaps(days(one), days(values)));
      if (!other) return [];
      return [
        {
          ...{ row, field: 'spaces' },
          text: {
            en: `Space "${space}" is leased by "${other.key}" on some of the same days.`,
            zh: `空间“${space}”在部分日期已由租约“${other.key}”租用。`,
          },
        },
      ];
    }),
  );
}

interface Known {
  readonly tenants: ReadonlyMap<string, string>;
  readonly spaces: ReadonlyMap<string, string>;
}

async function writeLeases(
  trx: Db,
  scope: Scope,
  wanted: readonly Wanted<LeaseValues>[],
  { tenants, spaces }: Known,
): Promise<[]> {
  const { accountId, newId } = scope;
  const idsOf = (keys: readonly string[] = []) => keys.map((key) => spaces.get(key) ?? '');
  const leases = wanted.map(({ values, stored }) => ({
    row: {
      ...{ id: stored?.id ?? newId(), key: values.key, tenantId: tenants.get(values.tenant) ?? '' },
      ...{ fromDate: values.from, toDate: values.to, headcount: values.headcount },
    },
    ...{ isNew: !stored, given: idsOf(values.spaces), before: idsOf(stored?.values.spaces) },
  }));
  await askToFollow(trx, scope);
  const added = leases.filter(({ isNew }) => isNew).map(({ row }) => ({ ...row, accountId }));
  for (const some of inStatements(added)) await trx.insertInto('lease').values(some).execute();
  const changed = leases.filter(({ isNew }) => !isNew).map(({ row }) => row);
  await sql`
    update lease l set key = w."key", tenant_id = w."tenantId", from_date = w."fromDate", to_date = w."toDate",
      headcount = w.headcount, version = l.version + 1
    from jsonb_to_recordset(${JSON.stringify(changed)}::jsonb)
      w (id uuid, "key" text, "tenantId" uuid, "fromDate" date, "toDate" date, headcount integer)
    where l.account_id = ${accountId} and l.id = w.id`.execute(trx);
  const given = leases.map(({ row: { id: leaseId, tenantId }, given: spaceIds }) => ({
    ...{ leaseId, tenantId, spaceIds },
  }));
  await giveSpaces(trx, accountId, given);
  const touched = leases.flatMap((lease) => [...lease.given, ...lease.before]);
  await followLeases(trx, scope, [...new Set(touched)]);
  return [];
}
