import type { AcceptInvitationBody, InvitationLook, Language, NewPasswordBody } from '@parkline/contract';
import type { Now } from '../platform/clock.ts';
import { type Db, withAccount } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { NewId } from '../platform/ids.ts';
import { jobs } from '../platform/jobs.ts';
import { accounts } from './accounts.ts';
import { audit } from './audit.ts';
import { type InvitationRow, invitations, linkGate } from './invitations.ts';
import { devices } from './known-devices.ts';
import { RESET_TASK } from './letter-jobs.ts';
import { linkHash, refuseLink } from './links.ts';
import { addressOf, tell } from './notices.ts';
import { requireGoodPassword } from './password-rules.ts';
import type { Passwords } from './password.ts';
import { invitationState } from './people-view.ts';
import { gate, loginHash, people } from './repository.ts';
import { resets } from './resets.ts';
import { roster } from './roster.ts';
import { sessions } from './session-store.ts';

export interface LinkHolderDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  readonly passwords: Passwords;
}

/** How long a link for a new password works, and how many a person is sent an hour. */
const RESET_VALID_MS = 1_800_000;
const RESETS_PER_HOUR = 3;
const HOUR_MS = 3_600_000;

/** A person that somebody became or has shown to be. */
interface Entered {
  readonly accountId: string;
  readonly personId: string;
}

/** What somebody may do who holds a link from a mail and nothing else. */
export function createLinkHolders({ db, now, newId, passwords }: LinkHolderDeps) {
  /** @throws AppError 'link_refused' when it lets nobody in. */
  async function openInvitation(trx: Db, accountId: string, id: string): Promise<InvitationRow> {
    const row = await invitations.lock(trx, accountId, id);
    if (!row) return refuseLink('unknown');
    const state = invitationState(row, now());
    if (state === 'open') return row;
    return refuseLink(state === 'accepted' ? 'used' : state);
  }

  /** @throws AppError 'link_refused'. */
  async function withInvitation<T>(
    token: string,
    work: (trx: Db, row: InvitationRow) => Promise<T>,
  ): Promise<T> {
    const found = await linkGate.invitation(db, linkHash(token));
    if (!found) return refuseLink('unknown');
    return withAccount(db, found.accountId, async (trx) =>
      work(trx, await openInvitation(trx, found.accountId, found.id)),
    );
  }

  return {
    /** @throws AppError 'link_refused' with `why`. */
    look: (token: string, language: Language): Promise<InvitationLook> =>
      withInvitation(token, async (trx, { accountId, login, name, expiresAt }) => {
        const accountName = await accounts.nameIn(trx, accountId, language);
        return { login, name, accountName, expiresAt: expiresAt.toISOString() };
      }),

    /**
     * Makes the invited person. Of two who come at once with one link, one is refused.
     * @throws AppError 'link_refused', 'bad_input' for a password that will not do, 'conflict' where the login was taken meanwhile.
     */
    async accept({ token, password, name: wished }: AcceptInvitationBody, ip: string): Promise<Entered> {
      const { login, name: given } = await withInvitation(token, (_trx, row) => Promise.resolve(row));
      const name = wished?.trim() ?? given;
      requireGoodPassword(password, 'body.password', [login, name]);
      const passwordHash = await passwords.hash(password); // Before anything is locked: it takes its time.
      return withInvitation(token, async (trx, row) => {
        const { accountId, tenantId, email, language } = row;
        const id = newId();
        const person = { id, accountId, tenantId, login, name, email, language, passwordHash };
        if (!(await roster.rights(trx, accountId, row.grants))) return refuseLink('revoked'); // Its place is gone.
        if (!(await roster.add(trx, person)))
          throw new AppError('conflict', 'login is taken', { details: { why: 'login_taken' } });
        for (const grant of row.grants) await roster.grant(trx, newId, { accountId, personId: id, ...grant });
        const at = now();
        await invitations.accepted(trx, accountId, row.id, id, at);
        const after = { login, name, tenantId, grants: row.grants };
        const deed = { accountId, at, personId: id, action: 'invitation.accepted', subjectId: row.id };
        await audit(trx, { ...deed, after, ip });
        return { accountId, personId: id };
      });
    },

    /** Queues a link for whoever this is the login or address of; tells nobody whether there is such a person. */
    async askForReset(typed: string, ip: string): Promise<void> {
      const found = await linkGate.personToReset(db, typed.trim());
      if (!found) return;
      const { accountId, personId } = found;
      const askedAt = now();
      const hourAgo = new Date(askedAt.getTime() - HOUR_MS);
      await withAccount(db, accountId, async (trx) => {
        await roster.lock(trx, accountId, personId); // Those who ask at once are counted one after the other.
        if ((await resets.countSince(trx, accountId, personId, hourAgo)) >= RESETS_PER_HOUR) return;
        const id = newId();
        const expiresAt = new Date(askedAt.getTime() + RESET_VALID_MS);
        await resets.add(trx, { id, accountId, personId, askedAt, expiresAt }, hourAgo);
        await jobs.enqueue(trx, newId, { accountId, task: RESET_TASK, key: id, dueAt: askedAt });
        const action = 'person.password_reset_asked';
        await audit(trx, { accountId, at: askedAt, personId: null, action, subjectId: personId, ip });
      });
    },

    /**
     * Sets a new password and ends every session of the person. The second factor stays as it is.
     * @throws AppError 'link_refused', 'bad_input' for a password that will not do.
     */
    async resetPassword({ token, password }: NewPasswordBody, ip: string): Promise<void> {
      const found = await linkGate.reset(db, linkHash(token));
      if (!found) return refuseLink('unknown');
      const { accountId, id } = found;
      const hash = await passwords.hash(password);
      const login = await withAccount(db, accountId, async (trx) => {
        const row = await resets.lock(trx, accountId, id);
        const at = now();
        if (!row || row.disabledAt) return refuseLink('unknown');
        if (row.usedAt) return refuseLink('used');
        if (row.expiresAt <= at) return refuseLink('expired');
        requireGoodPassword(password, 'body.password', [row.login, row.name]);
        const { personId } = row;
        await people.setPasswordHash(trx, accountId, personId, hash);
        await resets.useAll(trx, accountId, personId, at);
        await sessions.endAllOf(trx, accountId, personId);
        await devices.forgetAll(trx, accountId, personId);
        const action = 'person.password_reset';
        await audit(trx, { accountId, at, personId, action, subjectId: personId, ip });
        const what = 'password_changed';
        await tell(trx, newId, { what, personId, to: addressOf(row), by: null, at });
        return row.login;
      });
      await gate.loginSucceeded(db, loginHash(login)); // Who forgot it has tried in vain.
    },
  };
}

export type LinkHolders = ReturnType<typeof createLinkHolders>;
