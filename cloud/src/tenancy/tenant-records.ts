import './tables.ts';
import { Contact, ContactBody, LeaseBody, LeaseRecord, TenantBody, TenantRecord } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import { badField } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import { type Editor, noSuch, type RecordKind } from '../records/index.ts';
import { askToFollow, followLeases } from './follow-leases.ts';

const permissions = { reads: 'tenancy.read', writes: 'tenancy.write' } as const;

export const tenantRecord: RecordKind<TenantRecord, TenantBody> = {
  ...{ path: '/api/tenants', table: 'tenant', ...permissions, body: TenantBody, view: TenantRecord },
  find: (trx, accountId, id) =>
    trx
      .selectFrom('tenant')
      .select(['id', 'key', 'name', 'version'])
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst(),
  async insert(trx, { accountId }, id, body) {
    await trx
      .insertInto('tenant')
      .values({ id, accountId, ...body })
      .execute();
  },
  async update(trx, { accountId }, { id }, body) {
    await trx
      .updateTable('tenant')
      .set(body)
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },
};

export const contactRecord: RecordKind<Contact, ContactBody> = {
  // How to reach people is for who keeps the leases, not for everybody who reads them.
  ...{ path: '/api/contacts', table: 'tenant_contact', ...permissions, reads: 'tenancy.write' },
  ...{ body: ContactBody, view: Contact },
  find: (trx, accountId, id) =>
    trx
      .selectFrom('tenantContact')
      .select(['id', 'key', 'tenantId', 'kind', 'name', 'phone', 'mail', 'version'])
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst(),
  async insert(trx, { accountId }, id, body) {
    await requireTenant(trx, accountId, body.tenantId);
    await trx
      .insertInto('tenantContact')
      .values({ id, accountId, ...body })
      .execute();
  },
  async update(trx, { accountId }, { id }, body) {
    await requireTenant(trx, accountId, body.tenantId);
    await trx
      .updateTable('tenantContact')
      .set(body)
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },
  audited: ({ id: _id, version: _version, ...contact }) => veiled(contact),
};

/** What the audit keeps for ever tells that a person was changed, and not how to reach them. */
export const veiled = <
  T extends { readonly name: string; readonly phone: string | null; readonly mail: string | null },
>(
  contact: T,
): T => ({
  ...contact,
  name: `${[...contact.name].slice(0, 1).join('')}*`,
  phone: contact.phone && `*${contact.phone.slice(-2)}`,
  mail: contact.mail && `*${contact.mail.slice(contact.mail.lastIndexOf('@'))}`,
});

/** @throws AppError 'bad_input' where the tenant is not in sight. */
async function requireTenant(trx: Db, accountId: string, id: string): Promise<void> {
  if (!(await tenantRecord.find(trx, accountId, id, new Date(0)))) throw noSuch('tenantId');
}

export const leaseRecord: RecordKind<LeaseRecord, LeaseBody> = {
  ...{ path: '/api/leases', table: 'lease', ...permissions, body: LeaseBody, view: LeaseRecord },
  find: findLease,
  async insert(trx, editor, id, { spaceIds, ...body }) {
    const { accountId } = editor;
    await requireFit(trx, accountId, { spaceIds, ...body });
    await askToFollow(trx, editor);
    const { from: fromDate, to: toDate, ...row } = body;
    await trx
      .insertInto('lease')
      .values({ id, accountId, ...row, fromDate, toDate })
      .execute();
    await setSpaces(trx, editor, { leaseId: id, tenantId: body.tenantId }, spaceIds);
  },
  async update(trx, editor, { id: leaseId, spaceIds: before }, { spaceIds, ...body }) {
    const { accountId } = editor;
    await requireFit(trx, accountId, { spaceIds, ...body });
    await askToFollow(trx, editor);
    const { from: fromDate, to: toDate, ...row } = body;
    await trx
      .updateTable('lease')
      .set({ ...row, fromDate, toDate })
      .where('accountId', '=', accountId)
      .where('id', '=', leaseId)
      .execute();
    await setSpaces(trx, editor, { leaseId, tenantId: body.tenantId }, spaceIds);
    await followLeases(trx, editor, before);
  },
  async remove(trx, editor, { id, spaceIds }) {
    await askToFollow(trx, editor);
    await trx
      .deleteFrom('leaseSpace')
      .where('accountId', '=', editor.accountId)
      .where('leaseId', '=', id)
      .execute();
    await followLeases(trx, editor, spaceIds);
  },
};

async function findLease(trx: Db, accountId: string, id: string): Promise<LeaseRecord | undefined> {
  const { rows } = await sql<LeaseRecord>`
    select l.id, l.key, l.tenant_id, l.from_date::text as "from", l.to_date::text as "to", l.headcount, l.version,
      l.moved_in_on::text as moved_in, l.moved_out_on::text as moved_out,
      (select coalesce(jsonb_agg(ls.space_id order by ls.space_id), '[]') from lease_space ls where ls.lease_id = l.id) as space_ids
    from lease l where l.account_id = ${accountId} and l.id = ${id}`.execute(trx);
  return rows[0];
}

/** @throws AppError 'bad_input' on what is not in sight, or on an end that is no later than the beginning. */
async function requireFit(
  trx: Db,
  accountId: string,
  { tenantId, spaceIds, from, to }: LeaseBody,
): Promise<void> {
  await requireTenant(trx, accountId, tenantId);
  const found = await trx
    .selectFrom('space')
    .select('id')
    .where('accountId', '=', accountId)
    .where('id', 'in', spaceIds)
    .execute();
  if (found.length < spaceIds.length) throw noSuch('spaceIds');
  if (to !== null && to <= from) throw badField('body.to', fieldWords.laterThan('from'));
}

/** Makes these the spaces of a lease, and leased where it runs. The worker was asked to follow before. */
async function setSpaces(
  trx: Db,
  editor: Omit<Editor, 'personId'>,
  lease: { readonly leaseId: string; readonly tenantId: string },
  spaceIds: readonly string[],
): Promise<void> {
  await giveSpaces(trx, editor.accountId, [{ ...lease, spaceIds }]);
  await followLeases(trx, editor, spaceIds);
}

/** Makes these the spaces of leases, and no others. */
export async function giveSpaces(
  trx: Db,
  accountId: string,
  leases: readonly {
    readonly leaseId: string;
    readonly tenantId: string;
    readonly spaceIds: readonly string[];
  }[],
): Promise<void> {
  const wanted = JSON.stringify(
    leases.flatMap(({ leaseId, tenantId, spaceIds }) =>
      spaceIds.map((spaceId) => ({ leaseId, tenantId, spaceId })),
    ),
  );
  const leaseIds = leases.map(({ leaseId }) => leaseId);
  await sql`
    delete from lease_space ls where ls.account_id = ${accountId} and ls.lease_id = any (${leaseIds}::uuid[])
      and (ls.lease_id, ls.space_id) not in (
        select w."leaseId", w."spaceId" from jsonb_to_recordset(${wanted}::jsonb) w ("leaseId" uuid, "spaceId" uuid)
      )`.execute(trx);
  await sql`
    insert into lease_space (account_id, lease_id, tenant_id, space_id)
    select ${accountId}, w."leaseId", w."tenantId", w."spaceId"
    from jsonb_to_recordset(${wanted}::jsonb) w ("leaseId" uuid, "tenantId" uuid, "spaceId" uuid)
    on conflict (lease_id, space_id) do nothing`.execute(trx);
}
