import './people-tables.ts';
import './factor-tables.ts';
import './known-devices.ts';
import type { PersonalExport } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import { audit, auditTrail } from './audit.ts';
import { invitations } from './invitations.ts';
import { NOTICE_TASK } from './notices.ts';
import { roster } from './roster.ts';

/** Columns that prove who somebody is, or are pictures: they open doors, or are fetched by their own address. */
const HIDDEN = /hash|secret|sealed|token|challenge|public_key|credential_id|^bytes$/;
/** Rows of one table at most. */
const MAX_ROWS = 10_000;

/** A table with a column that names a person. */
interface Reference {
  readonly table: string;
  readonly column: string;
}

/** Every table that names a person by a foreign key, as far as who asks may read it: none is forgotten when one is added. */
export async function personReferences(db: Db): Promise<Reference[]> {
  const { rows } = await sql<Reference>`
    select c.conrelid::regclass::text as table, a.attname as column
    from pg_constraint c
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[cardinality(c.conkey)]
    where c.contype = 'f' and c.confrelid = 'person'::regclass and has_any_column_privilege(c.conrelid, 'select')
    order by 1, 2`.execute(db);
  return rows;
}

/** Everything that is kept about one person, by table. @returns undefined when there is no such person. */
export async function exportPerson(
  trx: Db,
  accountId: string,
  personId: string,
  at: Date,
): Promise<PersonalExport | undefined> {
  const person = await roster.find(trx, accountId, personId);
  if (!person) return undefined;
  const data: Record<string, unknown[]> = { person: [person] };
  for (const { table, column } of await personReferences(trx)) {
    const { rows } = await sql<{ row: Record<string, unknown> }>`
      select to_jsonb(t) as row from ${sql.table(table)} t where ${sql.ref(`t.${column}`)} = ${personId}
      limit ${MAX_ROWS}`.execute(trx);
    if (rows.length > 0) data[`${table}.${column}`] = rows.map(({ row }) => shown(row));
  }
  data['audit_event'] = await auditTrail.ofPerson(trx, personId);
  return { at: at.toISOString(), personId, data };
}

const shown = (row: Record<string, unknown>): object =>
  Object.fromEntries(Object.entries(row).filter(([key]) => !HIDDEN.test(key)));

/** What stands for a name once it is erased: the same in every language, and nobody's. */
export const pseudonym = (personId: string): string => `erased-${personId.slice(-12)}`;

/** Who erases whom. */
export interface Erasure {
  readonly accountId: string;
  readonly personId: string;
  readonly at: Date;
  /** Null: the command line. */
  readonly by: string | null;
  readonly ip?: string;
}

/**
 * Takes everything personal away: name, login, address, password, second factors, sessions, links, rights, invitations,
 * what the audit noted of the person. Deeds stay, done by a number without a name; the chain of the audit still holds.
 */
export async function erasePerson(trx: Db, { accountId, personId, at, by, ip }: Erasure): Promise<void> {
  const before = await roster.find(trx, accountId, personId);
  if (!before) return;
  await auditTrail.forget(trx, personId); // While the rights and invitations are there that say of whom it is.
  const own = ['session', 'totp', 'passkey', 'recoveryCode', 'passwordReset', 'personIdentity'] as const;
  for (const table of [...own, 'knownDevice', 'roleGrant', 'personArea'] as const)
    await trx.deleteFrom(table).where('accountId', '=', accountId).where('personId', '=', personId).execute();
  await forgetInvitations(trx, accountId, personId, before.login);
  await invitations.revokeAllBy(trx, accountId, personId, at);
  await forgetAnswers(trx, accountId, personId);
  await sql`delete from job where account_id = ${accountId} and task = ${NOTICE_TASK}
    and payload ->> 'personId' = ${personId}`.execute(trx);
  const alias = pseudonym(personId);
  await sql`update command set actor_name = ${alias} where account_id = ${accountId} and actor_id = ${personId}`.execute(
    trx,
  );
  await sql`update command set approver_name = ${alias} where account_id = ${accountId} and approver_id = ${personId}`.execute(
    trx,
  );
  await trx
    .updateTable('person')
    .set({
      ...{ login: alias, name: alias, email: null, passwordHash: null, skills: [] },
      disabledAt: before.disabledAt ?? at,
      erasedAt: at,
      version: sql<number>`version + 1`,
    })
    .where('accountId', '=', accountId)
    .where('id', '=', personId)
    .execute();
  const deed = { accountId, at, personId: by, action: 'person.erased', subjectId: personId };
  await audit(trx, { ...deed, ...(ip !== undefined && { ip }) });
}

/** Answers that were kept for who asks again: what was done stays done, what was told of the person goes. */
async function forgetAnswers(trx: Db, accountId: string, personId: string): Promise<void> {
  await trx
    .updateTable('idempotencyKey')
    .set({ status: null, headers: null, body: null })
    .where('accountId', '=', accountId)
    .where(sql<boolean>`(person_id = ${personId} or position(${personId} in body) > 0)`)
    .where('doneAt', 'is not', null)
    .execute();
}

/** Whether the account could still be administered without this person. */
export async function mayBeErased(trx: Db, accountId: string, personId: string): Promise<boolean> {
  const person = await roster.find(trx, accountId, personId);
  const isAdmin = person?.grants.some(({ role }) => role === 'account_admin') ?? false;
  return !isAdmin || roster.hasOtherAdmin(trx, accountId, personId);
}

/** Those that made the person, and those that were made for the same login. */
async function forgetInvitations(trx: Db, accountId: string, personId: string, login: string): Promise<void> {
  await trx
    .deleteFrom('invitation')
    .where('accountId', '=', accountId)
    .where((eb) => eb.or([eb('personId', '=', personId), eb(sql`lower(login)`, '=', login.toLowerCase())]))
    .execute();
}
