/* eslint-disable @typescript-eslint/consistent-type-definitions -- values of a kind are JSON by their index, which an interface has not */
import './tables.ts';
import { type ContactKind, contactKinds } from '@parkline/contract';
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
import {
  byKey,
  idsByKey,
  isFaults,
  keyColumn,
  lockOf,
  nameColumns,
  nameOf,
  namesOf,
  refColumn,
  removeAll,
} from '../places/index.ts';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';
import { askToFollow, followLeases } from './follow-leases.ts';
import { overlaps } from './lease-days.ts';
import { setSpaces, veiled } from './tenant-records.ts';

const permissions = { reads: 'tenancy.read', writes: 'tenancy.write' } as const;
const tenantWord = { en: 'tenant', zh: '租户' };

type TenantValues = { readonly key: string; readonly name_en: string; readonly name_zh: string };

export const tenantSheet: SheetKind<TenantValues> = {
  ...{ name: 'tenants', noun: 'tenant', title: { en: 'Tenants', zh: '租户' }, ...permissions },
  columns: [keyColumn('aurora'), ...nameColumns('Aurora Ltd.', '极光有限公司')],
  async prepare(trx, { accountId, newId, locks }) {
    const { rows } = await sql<{ id: string; version: number; key: string; name: LocalText }>`
      select r.id, r.version, r.key, r.name from tenant r where r.account_id = ${accountId}
      order by r.id ${lockOf(locks)}`.execute(trx);
    return {
      stored: byKey<TenantValues>(rows),
      read(cells, stored) {
        const names = namesOf(cells, stored?.values);
        return isFaults(names) ? names : { key: cells['key'] as string, ...names };
      },
      async write(wanted) {
        for (const { values, stored } of wanted) {
          const name = nameOf(values);
          if (!stored)
            await trx
              .insertInto('tenant')
              .values({ id: newId(), accountId, key: values.key, name })
              .execute();
          else
            await sql`update tenant set name = ${JSON.stringify(name)}::jsonb, version = version + 1
              where account_id = ${accountId} and id = ${stored.id}`.execute(trx);
        }
        return [];
      },
      remove: (things) => removeAll(trx, 'tenant', accountId, things),
    };
  },
};

export const contactWords: Readonly<Record<ContactKind, LocalText>> = {
  general: { en: 'general', zh: '日常' },
  billing: { en: 'billing', zh: '财务' },
  emergency: { en: 'emergency', zh: '紧急' },
  technical: { en: 'technical', zh: '技术' },
};

type ContactValues = {
  readonly key: string;
  readonly tenant: string;
  readonly kind: ContactKind;
  readonly name: string;
  readonly phone: string | null;
  readonly mail: string | null;
};

export const contactSheet: SheetKind<ContactValues> = {
  ...{ name: 'contacts', noun: 'tenant_contact', title: { en: 'Contacts', zh: '联系人' }, ...permissions },
  reads: 'tenancy.write',
  columns: [
    keyColumn('aurora-1'),
    refColumn('tenant', '租户编号', 'aurora'),
    { name: 'kind', zh: '类型', type: 'word', words: contactWords, example: 'general' },
    { name: 'name', zh: '姓名', type: 'text', required: true, example: 'Li Lei' },
    {
      name: 'phone',
      zh: '电话',
      type: 'text',
      pattern: /^[+0-9][0-9 ()./-]{1,49}$/,
      example: '+86 21 5555 0100',
    },
    {
      name: 'mail',
      zh: '邮箱',
      type: 'text',
      max: 254,
      pattern: /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
      example: 'li.lei@example.com',
    },
  ],
  audited: veiled,
  async prepare(trx, { accountId, newId, locks }) {
    const tenants = await idsByKey(trx, 'tenant', accountId);
    const { rows } = await sql<ContactValues & { id: string; version: number }>`
      select r.id, r.version, r.key, t.key as tenant, r.kind, r.name, r.phone, r.mail
      from tenant_contact r join tenant t on t.id = r.tenant_id where r.account_id = ${accountId}
      order by r.id ${lockOf(locks)}`.execute(trx);
    return {
      stored: new Map(rows.map(({ id, version, ...values }) => [values.key, { id, version, values }])),
      read(cells, stored) {
        const tenant = cells['tenant'] as string;
        if (!tenants.has(tenant)) return [unknownKey('tenant', tenantWord, tenant)];
        return {
          ...{ key: cells['key'] as string, tenant, name: cells['name'] as string },
          kind: keptOr<ContactKind>(cells['kind'] ?? undefined, stored?.values.kind, contactKinds[0]),
          phone: keptOr<string | null>(cells['phone'], stored?.values.phone, null),
          mail: keptOr<string | null>(cells['mail'], stored?.values.mail, null),
        };
      },
      async write(wanted) {
        for (const { values, stored } of wanted) {
          const { tenant, ...rest } = values;
          const row = { ...rest, tenantId: tenants.get(tenant) ?? '' };
          if (!stored)
            await trx
              .insertInto('tenantContact')
              .values({ id: newId(), accountId, ...row })
              .execute();
          else
            await trx
              .updateTable('tenantContact')
              .set({ ...row, version: sql<number>`version + 1` })
              .where('accountId', '=', accountId)
              .where('id', '=', stored.id)
              .execute();
        }
        return [];
      },
      remove: (things) => removeAll(trx, 'tenant_contact', accountId, things),
    };
  },
};

type LeaseValues = {
  readonly key: string;
  readonly tenant: string;
  readonly spaces: readonly string[];
  readonly from: string;
  readonly to: string | null;
  readonly headcount: number | null;
};

export const leaseSheet: SheetKind<LeaseValues> = {
  ...{ name: 'leases', noun: 'lease', title: { en: 'Leases', zh: '租约' }, ...permissions },
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
export function doubleLets(
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

async function writeLeases(
  trx: Db,
  scope: Scope,
  wanted: readonly Wanted<LeaseValues>[],
  {
    tenants,
    spaces,
  }: { readonly tenants: ReadonlyMap<string, string>; readonly spaces: ReadonlyMap<string, string> },
): Promise<[]> {
  const { accountId, newId } = scope;
  await askToFollow(trx, scope);
  for (const { values, stored } of wanted) {
    const { key, tenant, from: fromDate, to: toDate, headcount } = values;
    const tenantId = tenants.get(tenant) ?? '';
    const row = { key, tenantId, fromDate, toDate, headcount };
    const leaseId = stored?.id ?? newId();
    if (!stored)
      await trx
        .insertInto('lease')
        .values({ id: leaseId, accountId, ...row })
        .execute();
    else
      await trx
        .updateTable('lease')
        .set({ ...row, version: sql<number>`version + 1` })
        .where('accountId', '=', accountId)
        .where('id', '=', leaseId)
        .execute();
    const given = values.spaces.map((one) => spaces.get(one) ?? '');
    const before = (stored?.values.spaces ?? []).map((one) => spaces.get(one) ?? '');
    await setSpaces(trx, scope, { leaseId, tenantId }, given);
    await followLeases(trx, scope, before);
  }
  return [];
}
