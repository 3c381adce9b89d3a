import './tables.ts';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { LocalText } from '../platform/i18n.ts';

/** A code with the gateway and the site that it is for. */
export interface CodeRow {
  readonly id: string;
  readonly gatewayId: string;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  readonly burnedAt: Date | null;
  readonly burnedNkey: string | null;
  readonly failures: number;
  readonly failedAt: Date | null;
  readonly key: string;
  readonly name: LocalText;
  readonly publicKey: string | null;
  readonly gatewayRevokedAt: Date | null;
  readonly siteId: string;
  readonly siteKey: string;
  readonly siteName: LocalText;
  readonly timezone: string;
}

export const claims = {
  /** The account that a code belongs to, before anybody is known. */
  async accountOf(db: Db, codeHash: Buffer): Promise<string | undefined> {
    const { rows } = await sql<{ id: string | null }>`select claim_code_account(${codeHash}) as id`.execute(
      db,
    );
    return rows[0]?.id ?? undefined;
  },

  /** Locked, so that of many who come with one code each sees what the one before left. */
  code: (trx: Db, accountId: string, codeHash: Buffer): Promise<CodeRow | undefined> =>
    trx
      .selectFrom('claimCode as c')
      .innerJoin('gateway as g', 'g.id', 'c.gatewayId')
      .innerJoin('building as b', 'b.id', 'g.buildingId')
      .innerJoin('site as s', 's.id', 'b.siteId')
      .select(['c.id', 'c.gatewayId', 'c.expiresAt', 'c.revokedAt', 'c.burnedAt', 'c.burnedNkey'])
      .select([
        'c.failures',
        'c.failedAt',
        'g.key',
        'g.name',
        'g.publicKey',
        'g.revokedAt as gatewayRevokedAt',
      ])
      .select(['s.id as siteId', 's.key as siteKey', 's.name as siteName', 's.timezone'])
      .where('c.accountId', '=', accountId)
      .where('c.codeHash', '=', codeHash)
      .forUpdate('c')
      .executeTakeFirst(),

  async addChallenge(
    trx: Db,
    row: { hash: Buffer; accountId: string; codeId: string; expiresAt: Date },
    at: Date,
  ): Promise<void> {
    await trx
      .deleteFrom('claimChallenge')
      .where('accountId', '=', row.accountId)
      .where('expiresAt', '<', at)
      .execute();
    await trx.insertInto('claimChallenge').values(row).execute();
  },

  /** @returns whether it was one of this code and not over. It is gone then. */
  async takeChallenge(trx: Db, accountId: string, codeId: string, hash: Buffer, at: Date): Promise<boolean> {
    const row = await trx
      .deleteFrom('claimChallenge')
      .where('accountId', '=', accountId)
      .where('codeId', '=', codeId)
      .where('hash', '=', hash)
      .returning('expiresAt')
      .executeTakeFirst();
    return row !== undefined && row.expiresAt > at;
  },

  async change(
    trx: Db,
    accountId: string,
    id: string,
    change: {
      burnedAt?: Date;
      burnedNkey?: string;
      reusedAt?: Date;
      failures?: number;
      failedAt?: Date;
      revokedAt?: Date;
    },
  ): Promise<void> {
    await trx
      .updateTable('claimCode')
      .set(change)
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  /** Of a gateway, newest first. */
  list: (db: Db, accountId: string, gatewayId: string) =>
    db
      .selectFrom('claimCode as c')
      .leftJoin('person as p', 'p.id', 'c.createdBy')
      .select(['c.id', 'c.createdAt', 'c.expiresAt', 'c.revokedAt', 'c.burnedAt', 'c.reusedAt'])
      .select('p.name as createdByName')
      .where('c.accountId', '=', accountId)
      .where('c.gatewayId', '=', gatewayId)
      .orderBy('c.id', 'desc')
      .limit(100)
      .execute(),

  /** Public half of the key that signs for the cloud; undefined until the process that holds it has started. */
  async cloudKey(db: Db): Promise<string | undefined> {
    const { rows } = await sql<{ key: string | null }>`select cloud_public_key() as key`.execute(db);
    return rows[0]?.key ?? undefined;
  },
};

export type ListedCode = Awaited<ReturnType<typeof claims.list>>[number];
