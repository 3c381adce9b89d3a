import './tables.ts';
import type { Language } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import type { Job } from '../platform/jobs.ts';
import type { Mailer } from '../platform/mail.ts';
import { accounts } from './accounts.ts';
import { addressChangedLetter, factorResetLetter, passwordChangedLetter } from './letters.ts';

export const NOTICE_TASK = 'person.notice';

const letters = {
  address_changed: addressChangedLetter,
  factor_reset: factorResetLetter,
  password_changed: passwordChangedLetter,
} as const;

/** A change to somebody's account that its owner should know of. */
export interface Notice {
  readonly what: keyof typeof letters;
  readonly personId: string;
  /** Where it is told: of a change of the address, the one that was there before. */
  readonly to: string;
  /** Who did it; null: the person, through a link. */
  readonly by: string | null;
}

/** Where a person reads mail: undefined, nowhere. */
export const addressOf = ({ email, login }: { email: string | null; login: string }): string | undefined =>
  email ?? (login.includes('@') ? login : undefined);

/** Queues a mail without a link, in the transaction of the change. Nothing to do where the person has no address. */
export async function tell(
  trx: Db,
  newId: NewId,
  { what, personId, to, by, at }: Omit<Notice, 'to'> & { readonly to: string | undefined; readonly at: Date },
): Promise<void> {
  if (to === undefined) return;
  // Through a function: people of a tenant reach no row of the queue.
  await sql`select notice_post(${newId()}, ${personId}, ${what}, ${to}, ${by}, ${at})`.execute(trx);
}

/** Sends what {@link tell} queued, in the language of its reader. */
export async function sendNotice(
  trx: Db,
  { accountId, payload }: Job,
  { mailer }: { readonly mailer: Mailer },
): Promise<void> {
  const { what, personId, to, by } = payload as Notice;
  const [reader, doer] = [await personOf(trx, accountId, personId), await personOf(trx, accountId, by)];
  if (!reader || reader.erasedAt) return; // Nobody is there any more to be written to.
  const { login, name } = reader;
  const language = reader.language as Language;
  const facts = {
    login,
    name,
    accountName: await accounts.nameIn(trx, accountId, language),
    by: doer?.name ?? '',
  };
  await mailer.send({ to, language, ...letters[what][language](facts) });
}

async function personOf(trx: Db, accountId: string, id: string | null) {
  return trx
    .selectFrom('person')
    .select(['login', 'name', 'language', 'erasedAt'])
    .where('accountId', '=', accountId)
    .where('id', '=', id)
    .executeTakeFirst();
}
