import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { Retention } from '../platform/retention.ts';

declare module '../platform/db.ts' {
  interface Tables {
    /** A browser in which a person logged in. */
    knownDevice: { tokenHash: Buffer; accountId: string; personId: string; usedAt: Date };
  }
}

/** A browser in which nobody logged in for so long is a stranger again. */
export const DEVICE_MS = 180 * 86_400_000;
/** Browsers of one person that are known, the latest. */
const MOST_DEVICES = 50;
const BITE = 5_000;

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Programs keep no cookies from one login to the next: each would be another device. */
export const isBrowser = (userAgent: string | undefined): boolean => /^Mozilla\//.test(userAgent ?? '');

export const devices = {
  /**
   * Under what an attempt at this login counts, of `common` and what the browser's cookie says. A cookie that is none, or
   * not of this person, changes nothing.
   */
  async bucketOf(
    db: Db,
    login: string,
    common: Buffer,
    token: string | undefined,
    at: Date,
  ): Promise<Buffer> {
    if (!token) return common;
    const { rows } = await sql<{ bucket: Buffer }>`
      select login_bucket(${login}, ${common}, ${hashOf(token)}, ${new Date(at.getTime() - DEVICE_MS)}) as bucket`.execute(
      db,
    );
    return rows[0]?.bucket ?? common;
  },

  /** The person logged in there. Inside `withAccount`. @returns the token that the browser has from now on. */
  async used(trx: Db, personId: string, before: string | undefined, at: Date): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    await sql`select device_used(${hashOf(before ?? '')}, ${hashOf(token)}, ${personId}, ${at}, ${MOST_DEVICES})`.execute(
      trx,
    );
    return token;
  },

  /** Each of a person's browsers is a stranger, but the one with the token `kept`. */
  async forgetAll(trx: Db, accountId: string, personId: string, kept?: string): Promise<void> {
    await trx
      .deleteFrom('knownDevice')
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .$if(kept !== undefined, (query) => query.where('tokenHash', '!=', hashOf(kept!)))
      .execute();
  },
};

/** Runs as parkline_worker. */
export const deviceRetention: Retention = {
  what: 'known browsers',
  async drop(db, now) {
    const { numAffectedRows = 0n } = await sql`
      delete from known_device where (token_hash, person_id) in (
        select token_hash, person_id from known_device
        where used_at < ${new Date(now.getTime() - DEVICE_MS)} limit ${BITE})`.execute(db);
    return Number(numAffectedRows);
  },
};
