/* eslint-disable @typescript-eslint/consistent-type-definitions -- values of a kind are JSON by their index, which an interface has not */
import './tables.ts';
import { type ContactKind, contactKinds, MAIL, PHONE } from '@parkline/contract';
import { sql } from 'kysely';
import { keptOr, type SheetKind, unknownKey } from '../imports/index.ts';
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
import type { LocalText } from '../platform/i18n.ts';
import { inStatements } from './follow-leases.ts';
import { veiled } from './tenant-records.ts';

const permissions = { reads: 'tenancy.read', writes: 'tenancy.write' } as const;
export const tenantWord = { en: 'tenant', zh: '租户' };

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
        const added = wanted.filter(({ stored }) => !stored);
        const rows = added.map(({ values }) => ({
          id: newId(),
          accountId,
          key: values.key,
          name: nameOf(values),
        }));
        for (const some of inStatements(rows)) await trx.insertInto('tenant').values(some).execute();
        const changed = wanted.flatMap(({ values, stored }) =>
          stored ? [{ id: stored.id, name: nameOf(values) }] : [],
        );
        await sql`
          update tenant t set name = w.name, version = t.version + 1
          from jsonb_to_recordset(${JSON.stringify(changed)}::jsonb) w (id uuid, name jsonb)
          where t.account_id = ${accountId} and t.id = w.id`.execute(trx);
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
      max: 50,
      pattern: PHONE,
      example: '+86 21 5555 0100',
    },
    {
      name: 'mail',
      zh: '邮箱',
      type: 'text',
      max: 254,
      pattern: MAIL,
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
        const rowOf = ({ tenant, ...row }: ContactValues) => ({
          ...row,
          tenantId: tenants.get(tenant) ?? '',
        });
        const added = wanted.filter(({ stored }) => !stored);
        const rows = added.map(({ values }) => ({ id: newId(), accountId, ...rowOf(values) }));
        for (const some of inStatements(rows)) await trx.insertInto('tenantContact').values(some).execute();
        const changed = wanted.flatMap(({ values, stored }) =>
          stored ? [{ id: stored.id, ...rowOf(values) }] : [],
        );
        await sql`
          update tenant_contact c set tenant_id = w."tenantId", kind = w.kind, name = w.name, phone = w.phone,
            mail = w.mail, version = c.version + 1
          from jsonb_to_recordset(${JSON.stringify(changed)}::jsonb)
            w (id uuid, "tenantId" uuid, kind text, name text, phone text, mail text)
          where c.account_id = ${accountId} and c.id = w.id`.execute(trx);
        return [];
      },
      remove: (things) => removeAll(trx, 'tenant_contact', accountId, things),
    };
  },
};
