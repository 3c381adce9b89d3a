import './tables.ts';
import type { IssuedCredentials } from '@parkline/contract';
import type { Selectable } from 'kysely';
import type { Wait } from '../platform/clock.ts';
import type { Db, Tables } from '../platform/db.ts';

export type Credential = Selectable<Tables['gatewayCredential']>;

/** Keys that count: everything about a gateway's credentials that is not its life on the message server. */
export const credentials = {
  byNkey: (db: Db, accountId: string, nkey: string): Promise<Credential | undefined> =>
    db
      .selectFrom('gatewayCredential')
      .selectAll()
      .where('accountId', '=', accountId)
      .where('nkey', '=', nkey)
      .executeTakeFirst(),

  /** The newest that was not thrown out. */
  current: (db: Db, accountId: string, gatewayId: string): Promise<Credential | undefined> =>
    db
      .selectFrom('gatewayCredential')
      .selectAll()
      .where('accountId', '=', accountId)
      .where('gatewayId', '=', gatewayId)
      .where('revokedAt', 'is', null)
      .orderBy('createdAt', 'desc')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst(),

  /** @returns false when the key is known already, to whomever: keys are made at random, so it was taken from somebody. */
  async add(
    db: Db,
    row: Pick<
      Credential,
      'id' | 'accountId' | 'gatewayId' | 'nkey' | 'signingKey' | 'tlsKey' | 'codeId' | 'createdAt'
    >,
  ): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('gatewayCredential')
      .values(row)
      .onConflict((conflict) => conflict.column('nkey').doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  },

  /** Has the signer sign again for the same keys. */
  async askAgain(db: Db, accountId: string, id: string): Promise<void> {
    await db
      .updateTable('gatewayCredential')
      .set({ issueDue: true, failure: null })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .where('revokedAt', 'is', null)
      .execute();
  },

  /** Throws out every key of a gateway but one. @returns how many. */
  async revoke(db: Db, accountId: string, gatewayId: string, at: Date, but?: string): Promise<number> {
    const { numUpdatedRows } = await db
      .updateTable('gatewayCredential')
      .set({ revokedAt: at, issueDue: false })
      .where('accountId', '=', accountId)
      .where('gatewayId', '=', gatewayId)
      .where('revokedAt', 'is', null)
      .$if(but !== undefined, (query) => query.where('id', '!=', but ?? ''))
      .executeTakeFirst();
    return Number(numUpdatedRows);
  },
};

/** What was signed; undefined while nothing is, or while it is to be signed again. Pure. */
export function issuedOf(row: Credential | undefined): IssuedCredentials | undefined {
  if (!row || row.issueDue || row.revokedAt) return undefined;
  const { jwt, certificate, ca, issuedAt, expiresAt } = row;
  if (jwt === null || certificate === null || ca === null || !issuedAt || !expiresAt) return undefined;
  return { jwt, certificate, ca, issuedAt: issuedAt.toISOString(), expiresAt: expiresAt.toISOString() };
}

/** How often the row is looked at; the signer takes a few ms. */
const LOOK_MS = 50;

/** Waits until the signer has signed, `forMs` at most. @returns undefined when it has not. */
export async function untilIssued(
  look: () => Promise<Credential | undefined>,
  { wait, forMs }: { readonly wait: Wait; readonly forMs: number },
  signal: AbortSignal,
): Promise<IssuedCredentials | undefined> {
  const rounds = Math.ceil(forMs / LOOK_MS);
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    const issued = issuedOf(await look());
    if (issued) return issued;
    await wait(LOOK_MS, signal);
  }
  return undefined;
}
