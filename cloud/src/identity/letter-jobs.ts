import type { Now } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Mailer } from '../platform/mail.ts';
import type { Job } from '../platform/jobs.ts';
import type { JobHandlers } from '../platform/run-jobs.ts';
import { accounts } from './accounts.ts';
import { invitations } from './invitations.ts';
import { invitationLetter, resetLetter } from './letters.ts';
import { linkHash, linkTo, newLinkToken } from './links.ts';
import { NOTICE_TASK, sendNotice } from './notices.ts';
import { resets } from './resets.ts';

export const INVITATION_TASK = 'invitation.send';
export const RESET_TASK = 'password_reset.send';

export interface LetterDeps {
  readonly mailer: Mailer;
  readonly now: Now;
  /** Address of the portal, as people type it. */
  readonly publicUrl: string;
}

/**
 * Mails that let somebody in. The link is made here, when its mail leaves, and is nowhere else: neither the queue nor a
 * copy of the database lets anybody in. A mail that was not taken is tried again with another link.
 */
export const letterJobs = (deps: LetterDeps): JobHandlers => ({
  [INVITATION_TASK]: (trx, job) => sendInvitation(trx, job, deps),
  [RESET_TASK]: (trx, job) => sendReset(trx, job, deps),
  [NOTICE_TASK]: (trx, job) => sendNotice(trx, job, deps),
});

async function sendInvitation(
  trx: Db,
  { accountId, key: id }: Job,
  { mailer, now, publicUrl }: LetterDeps,
): Promise<void> {
  const row = await invitations.lock(trx, accountId, id);
  const at = now();
  if (!row || row.acceptedAt || row.revokedAt || row.expiresAt <= at) return; // Nobody is waiting for it any more.
  const { email: to, language, name, login, invitedBy } = row;
  const inviter = await trx
    .selectFrom('person')
    .select('name')
    .where('accountId', '=', accountId)
    .where('id', '=', invitedBy)
    .executeTakeFirstOrThrow();
  const token = newLinkToken();
  await invitations.sent(trx, accountId, id, linkHash(token), at);
  const accountName = await accounts.nameIn(trx, accountId, language);
  const facts = { name, accountName, login, link: linkTo(publicUrl, 'invitation', token) };
  await mailer.send({ to, language, ...invitationLetter[language]({ ...facts, inviter: inviter.name }) });
}

async function sendReset(
  trx: Db,
  { accountId, key: id }: Job,
  { mailer, now, publicUrl }: LetterDeps,
): Promise<void> {
  const row = await resets.lock(trx, accountId, id);
  if (!row || row.usedAt || row.disabledAt || row.expiresAt <= now()) return;
  const { login, name, language } = row;
  const token = newLinkToken();
  await resets.sent(trx, accountId, id, linkHash(token));
  const accountName = await accounts.nameIn(trx, accountId, language);
  const facts = { name, accountName, login, link: linkTo(publicUrl, 'reset', token) };
  await mailer.send({ to: row.email ?? login, language, ...resetLetter[language](facts) });
}
