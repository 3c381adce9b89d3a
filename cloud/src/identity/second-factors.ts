import './factor-tables.ts';
import type { Factor } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import { sealedPlace, type Secrets } from '../platform/secrets.ts';
import type { StoredPasskey } from './passkeys.ts';
import { newRecoveryCodes, recoveryCodeHash, totpStep } from './totp.ts';

/** Whose factor it is. */
export interface Owner {
  readonly accountId: string;
  readonly personId: string;
}

const seat = (id: string): string => sealedPlace('totp', 'sealed_secret', id);

/** Inside `withActor`, of one person: every call names whose factor it is. */
export const factors = {
  /** What counts, oldest first. */
  async list(db: Db, { accountId, personId }: Owner): Promise<Factor[]> {
    const { rows } = await sql<Omit<Factor, 'since' | 'usedAt'> & { since: Date; usedAt: Date | null }>`
      select id, 'totp' as kind, name, created_at as since, used_at from totp
      where account_id = ${accountId} and person_id = ${personId} and confirmed_at is not null
      union all
      select id, 'passkey', name, created_at, used_at from passkey
      where account_id = ${accountId} and person_id = ${personId}
      order by since, id`.execute(db);
    return rows.map(({ since, usedAt, ...factor }) => ({
      ...factor,
      since: since.toISOString(),
      usedAt: usedAt?.toISOString() ?? null,
    }));
  },

  /** Keeps a secret that opens nothing yet; one that was begun before and never confirmed goes. */
  async beginTotp(
    db: Db,
    secrets: Secrets,
    totp: Owner & { id: string; name: string; secret: Buffer; at: Date },
  ): Promise<void> {
    const { secret, at, ...row } = totp;
    await db
      .deleteFrom('totp')
      .where('accountId', '=', row.accountId)
      .where('personId', '=', row.personId)
      .where('confirmedAt', 'is', null)
      .execute();
    const sealedSecret = secrets.seal(secret.toString('base64'), seat(row.id));
    await db
      .insertInto('totp')
      .values({ ...row, sealedSecret, createdAt: at })
      .execute();
  },

  /** Whether the person began this app and has not confirmed it. */
  async isBegun(db: Db, { accountId, personId, id }: Owner & { id: string }): Promise<boolean> {
    const found = await db
      .selectFrom('totp')
      .select('id')
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .where('id', '=', id)
      .where('confirmedAt', 'is', null)
      .executeTakeFirst();
    return found !== undefined;
  },

  /** Whether the code is of the secret that was begun: it counts from then on. */
  confirmTotp: (db: Db, secrets: Secrets, of: Owner & { id: string }, code: string, at: Date) =>
    takeCode(db, secrets, { ...of, pending: true }, code, at),

  /** Whether the code is of one of the person's apps and was not taken before. */
  takeTotp: (db: Db, secrets: Secrets, of: Owner, code: string, at: Date) =>
    takeCode(db, secrets, { ...of, pending: false }, code, at),

  passkeys: (db: Db, { accountId, personId }: Owner): Promise<(StoredPasskey & { id: string })[]> =>
    db
      .selectFrom('passkey')
      .select(['id', 'credentialId', 'publicKey', 'transports'])
      .select(sql<number>`counter::float8`.as('counter'))
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .orderBy('createdAt')
      .execute(),

  /** @returns false when the key is known already. */
  async addPasskey(
    db: Db,
    { key, at, ...row }: Owner & { id: string; name: string; key: StoredPasskey; at: Date },
  ): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('passkey')
      .values({ ...row, ...key, transports: [...key.transports], createdAt: at })
      .onConflict((c) => c.column('credentialId').doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  },

  /** Notes a proof. @returns false when another proof with this count, or a later one, came first. */
  async notePasskey(db: Db, of: Owner & { id: string }, counter: number, at: Date): Promise<boolean> {
    const { numUpdatedRows } = await db
      .updateTable('passkey')
      .set({ counter, usedAt: at })
      .where('accountId', '=', of.accountId)
      .where('personId', '=', of.personId)
      .where('id', '=', of.id)
      .where(sql<boolean>`(counter < ${counter} or (counter = 0 and ${counter} = 0))`)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  },

  /** @returns whether there was such a factor. */
  async remove(db: Db, { accountId, personId, id }: Owner & { id: string }): Promise<boolean> {
    const gone = await Promise.all(
      (['totp', 'passkey'] as const).map((table) =>
        db
          .deleteFrom(table)
          .where('accountId', '=', accountId)
          .where('personId', '=', personId)
          .where('id', '=', id)
          .executeTakeFirst(),
      ),
    );
    return gone.some(({ numDeletedRows }) => numDeletedRows === 1n);
  },

  /** Puts new recovery codes in the place of those there are. @returns them, in plain text, this once. */
  async renewRecoveryCodes(db: Db, { accountId, personId }: Owner): Promise<string[]> {
    await factors.dropRecoveryCodes(db, { accountId, personId });
    const codes = newRecoveryCodes();
    const rows = codes.map((code) => ({ accountId, personId, codeHash: recoveryCodeHash(code) }));
    await db.insertInto('recoveryCode').values(rows).execute();
    return codes;
  },

  async dropRecoveryCodes(db: Db, { accountId, personId }: Owner): Promise<void> {
    await db
      .deleteFrom('recoveryCode')
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .execute();
  },

  /** Whether it is one that was not used; then it is used. */
  async takeRecoveryCode(db: Db, { accountId, personId }: Owner, code: string, at: Date): Promise<boolean> {
    const { numUpdatedRows } = await db
      .updateTable('recoveryCode')
      .set({ usedAt: at })
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .where('codeHash', '=', recoveryCodeHash(code))
      .where('usedAt', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  },

  async recoveryCodesLeft(db: Db, { accountId, personId }: Owner): Promise<number> {
    const { left } = await db
      .selectFrom('recoveryCode')
      .select(sql<number>`count(*)::integer`.as('left'))
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .where('usedAt', 'is', null)
      .executeTakeFirstOrThrow();
    return left;
  },

  /** Takes away everything beside the password: for an administrator, when a person lost it all. */
  async reset(db: Db, of: Owner): Promise<void> {
    for (const table of ['totp', 'passkey'] as const)
      await db
        .deleteFrom(table)
        .where('accountId', '=', of.accountId)
        .where('personId', '=', of.personId)
        .execute();
    await factors.dropRecoveryCodes(db, of);
  },
};

/** The rows are locked, so of two requests with one code the second finds its step taken. */
async function takeCode(
  db: Db,
  secrets: Secrets,
  { accountId, personId, id, pending }: Owner & { id?: string; pending: boolean },
  code: string,
  at: Date,
): Promise<boolean> {
  const apps = await db
    .selectFrom('totp')
    .select(['id', 'sealedSecret', 'lastStep'])
    .where('accountId', '=', accountId)
    .where('personId', '=', personId)
    .where('confirmedAt', pending ? 'is' : 'is not', null)
    .$if(id !== undefined, (q) => q.where('id', '=', id ?? ''))
    .orderBy('id')
    .forUpdate()
    .execute();
  for (const app of apps) {
    const secret = Buffer.from(secrets.open(app.sealedSecret, seat(app.id)), 'base64');
    const step = totpStep(secret, code, at, app.lastStep === null ? null : Number(app.lastStep));
    if (step === undefined) continue;
    await db
      .updateTable('totp')
      .set({ lastStep: String(step), usedAt: at, ...(pending && { confirmedAt: at }) })
      .where('accountId', '=', accountId)
      .where('id', '=', app.id)
      .execute();
    return true;
  }
  return false;
}
