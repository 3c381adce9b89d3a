import './people-tables.ts';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';

export interface ResetRow {
  readonly id: string;
  readonly personId: string;
  readonly login: string;
  readonly name: string;
  readonly email: string | null;
  readonly language: 'zh-CN' | 'en';
  readonly disabledAt: Date | null;
  readonly askedAt: Date;
  readonly expiresAt: Date;
  readonly usedAt: Date | null;
}

/** Inside `withAccount`. */
export const resets = {
  /** With its person; held until the transaction ends. */
  async lock(db: Db, accountId: string, id: string): Promise<ResetRow | undefined> {
    const row = await db
      .selectFrom('passwordReset as r')
      .innerJoin('person as p', 'p.id', 'r.personId')
      .select(['r.id', 'r.personId', 'r.askedAt', 'r.expiresAt', 'r.usedAt'])
      .select(['p.login', 'p.name', 'p.email', 'p.language', 'p.disabledAt'])
      .where('r.accountId', '=', accountId)
      .where('r.id', '=', id)
      .forUpdate('r')
      .executeTakeFirst();
    return row as ResetRow | undefined;
  },

  /** How often a link was asked for since then. */
  async countSince(db: Db, accountId: string, personId: string, since: Date): Promise<number> {
    const { n } = await db
      .selectFrom('passwordReset')
      .select(sql<number>`count(*)::int`.as('n'))
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .where('askedAt', '>', since)
      .executeTakeFirstOrThrow();
    return n;
  },

  /** Those asked for before `old` go once they are over: they count for nothing any more. */
  async add(
    db: Db,
    row: {
      readonly id: string;
      readonly accountId: string;
      readonly personId: string;
      /** Known at once where the link is shown; else it is noted when the mail leaves. */
      readonly tokenHash?: Buffer;
      readonly askedAt: Date;
      readonly expiresAt: Date;
    },
    old: Date,
  ): Promise<void> {
    await db
      .deleteFrom('passwordReset')
      .where('accountId', '=', row.accountId)
      .where('personId', '=', row.personId)
      .where('askedAt', '<=', old)
      .where('expiresAt', '<=', row.askedAt)
      .execute();
    await db.insertInto('passwordReset').values(row).execute();
  },

  /** Notes the link of the mail that is about to leave. */
  async sent(db: Db, accountId: string, id: string, tokenHash: Buffer): Promise<void> {
    await db
      .updateTable('passwordReset')
      .set({ tokenHash })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  /** None of a person's links lets anybody in from now on. */
  async useAll(db: Db, accountId: string, personId: string, at: Date): Promise<void> {
    await db
      .updateTable('passwordReset')
      .set({ usedAt: at })
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .where('usedAt', 'is', null)
      .execute();
  },
};
