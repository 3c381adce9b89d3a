import './people-tables.ts';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { GrantRow } from './people-tables.ts';

export interface InvitationRow {
  readonly id: string;
  readonly accountId: string;
  readonly tenantId: string | null;
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly language: 'zh-CN' | 'en';
  readonly grants: readonly GrantRow[];
  readonly invitedBy: string;
  readonly createdAt: Date;
  readonly sentAt: Date | null;
  readonly expiresAt: Date;
  readonly acceptedAt: Date | null;
  readonly revokedAt: Date | null;
  readonly personId: string | null;
}

export type NewInvitation = Omit<InvitationRow, 'sentAt' | 'acceptedAt' | 'revokedAt' | 'personId'>;

const columns = [
  ...(['id', 'accountId', 'tenantId', 'login', 'name', 'email', 'language', 'grants', 'invitedBy'] as const),
  ...(['createdAt', 'sentAt', 'expiresAt', 'acceptedAt', 'revokedAt', 'personId'] as const),
];

/** Inside `withActor` or `withAccount`. */
export const invitations = {
  /** Newest first. */
  async page(
    db: Db,
    accountId: string,
    query: {
      readonly state?: 'open' | 'accepted' | 'expired' | 'revoked' | undefined;
      readonly after?: string | undefined;
      readonly limit: number;
      readonly at: Date;
    },
  ): Promise<InvitationRow[]> {
    const { state, after, limit, at } = query;
    const pending = sql<boolean>`accepted_at is null and revoked_at is null`;
    const rows = await db
      .selectFrom('invitation')
      .select(columns)
      .where('accountId', '=', accountId)
      .$if(after !== undefined, (q) => q.where('id', '<', after ?? ''))
      .$if(state === 'open', (q) => q.where(pending).where('expiresAt', '>', at))
      .$if(state === 'expired', (q) => q.where(pending).where('expiresAt', '<=', at))
      .$if(state === 'accepted', (q) => q.where('acceptedAt', 'is not', null))
      .$if(state === 'revoked', (q) => q.where('revokedAt', 'is not', null))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows as InvitationRow[];
  },

  /** Held until the transaction ends. */
  async lock(db: Db, accountId: string, id: string): Promise<InvitationRow | undefined> {
    const row = await db
      .selectFrom('invitation')
      .select(columns)
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    return row as InvitationRow | undefined;
  },

  /** Takes the place of one of the same tenant, or of the staff, for the same login that ran out. @returns false while one is open. */
  async add(db: Db, invitation: NewInvitation): Promise<boolean> {
    const { accountId, tenantId, login, createdAt } = invitation;
    await db
      .updateTable('invitation')
      .set({ revokedAt: createdAt })
      .where('accountId', '=', accountId)
      .where('tenantId', 'is not distinct from', tenantId)
      .where(sql`lower(login)`, '=', login.toLowerCase())
      .where('acceptedAt', 'is', null)
      .where('revokedAt', 'is', null)
      .where('expiresAt', '<=', createdAt)
      .execute();
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('invitation')
      .values({ ...invitation, grants: JSON.stringify(invitation.grants) })
      .onConflict((c) => c.doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  },

  /** The link that was sent is worth nothing from now on; the next mail brings another. */
  async renew(db: Db, accountId: string, id: string, expiresAt: Date): Promise<void> {
    await db
      .updateTable('invitation')
      .set({ tokenHash: null, sentAt: null, expiresAt })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  async revoke(db: Db, accountId: string, id: string, at: Date): Promise<void> {
    await db
      .updateTable('invitation')
      .set({ revokedAt: at })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  /** Takes back what somebody offered who may no longer offer it. */
  async revokeAllBy(db: Db, accountId: string, personId: string, at: Date): Promise<void> {
    await db
      .updateTable('invitation')
      .set({ revokedAt: at })
      .where('accountId', '=', accountId)
      .where('invitedBy', '=', personId)
      .where('acceptedAt', 'is', null)
      .where('revokedAt', 'is', null)
      .execute();
  },

  async accepted(db: Db, accountId: string, id: string, personId: string, at: Date): Promise<void> {
    await db
      .updateTable('invitation')
      .set({ acceptedAt: at, personId })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  /** Puts the mail into the queue, for a tenant's administrator too. */
  async post(db: Db, jobId: string, id: string, at: Date): Promise<void> {
    await sql`select invitation_post(${jobId}, ${id}, ${at})`.execute(db);
  },

  /** Notes the link of the mail that is about to leave. */
  async sent(db: Db, accountId: string, id: string, tokenHash: Buffer, at: Date): Promise<void> {
    await db
      .updateTable('invitation')
      .set({ tokenHash, sentAt: at })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },
};

/** Looked up before an account is known: each call is one checked function of the database. */
export const linkGate = {
  async invitation(db: Db, hash: Buffer): Promise<{ accountId: string; id: string } | undefined> {
    const { rows } = await sql<{ accountId: string; id: string }>`
      select * from invitation_find(${hash})`.execute(db);
    return rows[0];
  },

  async reset(db: Db, hash: Buffer): Promise<{ accountId: string; id: string } | undefined> {
    const { rows } = await sql<{ accountId: string; id: string }>`
      select * from reset_find(${hash})`.execute(db);
    return rows[0];
  },

  /** Who can be sent a link for what was typed, a login or a mail address. */
  async personToReset(db: Db, typed: string): Promise<{ accountId: string; personId: string } | undefined> {
    const { rows } = await sql<{ accountId: string; personId: string }>`
      select * from reset_person(${typed})`.execute(db);
    return rows[0];
  },
};
