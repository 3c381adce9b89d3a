import './tables.ts';
import { createHash } from 'node:crypto';
import type { FactorKind, OwnSession } from '@parkline/contract';
import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';
import type { Grant } from './permissions.ts';

export interface FoundSession {
  readonly sessionId: string;
  readonly accountId: string;
  readonly tenantId: string | null;
  readonly personId: string;
  readonly login: string;
  readonly name: string;
  readonly grants: readonly Grant[];
  /** When a second factor was last given in it. */
  readonly factorAt: Date | null;
  /** What the person has beside the password. */
  readonly factorKinds: readonly FactorKind[];
}

/** Silence that ends a session, in ms. */
export interface IdleTimes {
  /** Of the operator's own people. */
  readonly staffMs: number;
  /** Of a tenant's people. */
  readonly tenantMs: number;
}

export interface NewSession {
  readonly id: string;
  readonly accountId: string;
  readonly personId: string;
  readonly token: string;
  readonly at: Date;
  readonly expiresAt: Date;
  /** Set where the second factor was given with the login. */
  readonly factorAt?: Date | null;
  readonly ip?: string | null;
  /** What the browser calls itself. */
  readonly device?: string;
}

/** How long what a passkey has to sign may wait for its answer. */
const CHALLENGE_MS = 300_000;
const MAX_DEVICE_LENGTH = 300;

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
const seconds = (ms: number) => sql`make_interval(secs => ${ms / 1_000})`;

/** Looked up before an account is known: each call is one checked function of the database. */
export const sessionGate = {
  /** The living session of a cookie's token. */
  async find(db: Db, token: string, at: Date, idle: IdleTimes): Promise<FoundSession | undefined> {
    const { rows } = await sql<FoundSession>`
      select * from session_find(${hashOf(token)}, ${at}, ${seconds(idle.staffMs)}, ${seconds(idle.tenantMs)})`.execute(
      db,
    );
    return rows[0];
  },

  /** Deletes sessions that are over. @returns how many. */
  async sweep(db: Db, at: Date, idle: IdleTimes): Promise<number> {
    const { rows } = await sql<{ n: number }>`
      select session_sweep(${at}, ${seconds(idle.staffMs)}, ${seconds(idle.tenantMs)}) as n`.execute(db);
    return rows[0]?.n ?? 0;
  },
};

/** Inside `withActor` or `withAccount`. */
export const sessions = {
  async open(db: Db, session: NewSession): Promise<void> {
    const { token, at, device = '', ...row } = session;
    await db
      .insertInto('session')
      .values({
        ...row,
        device: device.slice(0, MAX_DEVICE_LENGTH),
        tokenHash: hashOf(token),
        createdAt: at,
        seenAt: at,
      })
      .execute();
  },

  async end(db: Db, accountId: string, id: string): Promise<void> {
    await db.deleteFrom('session').where('accountId', '=', accountId).where('id', '=', id).execute();
  },

  /** One of the person's own. @returns whether there was such a session. */
  async endOwn(db: Db, accountId: string, personId: string, id: string): Promise<boolean> {
    const { numDeletedRows } = await db
      .deleteFrom('session')
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .where('id', '=', id)
      .executeTakeFirst();
    return numDeletedRows === 1n;
  },

  /** Ends what a person has open, as after a new password or a change of rights; `except` stays. @returns how many ended. */
  async endAllOf(db: Db, accountId: string, personId: string, except: string | null = null): Promise<number> {
    const { numDeletedRows } = await db
      .deleteFrom('session')
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .$if(except !== null, (q) => q.where('id', '!=', except ?? ''))
      .executeTakeFirst();
    return Number(numDeletedRows);
  },

  /** Those of one person, the one seen last first. `current` is the id of the one that asks. */
  async list(db: Db, accountId: string, personId: string, current: string, at: Date): Promise<OwnSession[]> {
    const rows = await db
      .selectFrom('session')
      .select(['id', 'device', 'createdAt', 'seenAt'])
      .select(sql<string | null>`host(ip)`.as('ip'))
      .where('accountId', '=', accountId)
      .where('personId', '=', personId)
      .where('expiresAt', '>', at)
      .orderBy('seenAt', 'desc')
      .orderBy('id')
      .limit(500)
      .execute();
    return rows.map(({ id, device, ip, createdAt, seenAt }) => ({
      ...{ id, device, ip, current: id === current },
      since: createdAt.toISOString(),
      lastSeen: seenAt.toISOString(),
    }));
  },

  /** Gives a session another token, and notes the second factor where one was given; the old token is worth nothing. */
  async renew(
    db: Db,
    session: { accountId: string; id: string; token: string; factorAt?: Date },
  ): Promise<void> {
    await db
      .updateTable('session')
      .set({
        tokenHash: hashOf(session.token),
        ...(session.factorAt && { factorAt: session.factorAt }),
      })
      .where('accountId', '=', session.accountId)
      .where('id', '=', session.id)
      .execute();
  },

  /** Keeps what a passkey has to sign next. */
  async setChallenge(db: Db, accountId: string, id: string, challenge: string, at: Date): Promise<void> {
    await db
      .updateTable('session')
      .set({ challenge, challengeAt: at })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .execute();
  },

  /** What was to be signed, once. */
  async takeChallenge(db: Db, accountId: string, id: string, at: Date): Promise<string | undefined> {
    const { rows } = await sql<{ challenge: string | null; at: Date | null }>`
      with kept as (
        select id, challenge, challenge_at from session
        where account_id = ${accountId} and id = ${id} for update
      )
      update session s set challenge = null, challenge_at = null from kept
      where s.id = kept.id returning kept.challenge, kept.challenge_at as at`.execute(db);
    const [kept] = rows;
    if (!kept?.challenge || !kept.at || kept.at.getTime() < at.getTime() - CHALLENGE_MS) return undefined;
    return kept.challenge;
  },

  /** For streams that outlive their request: ends within seconds of a logout. Idleness is left to the requests. */
  async isAlive(db: Db, accountId: string, id: string, at: Date): Promise<boolean> {
    const row = await db
      .selectFrom('session')
      .innerJoin('person', 'person.id', 'session.personId')
      .select('session.id')
      .where('session.accountId', '=', accountId)
      .where('session.id', '=', id)
      .where('session.expiresAt', '>', at)
      .where('person.disabledAt', 'is', null)
      .executeTakeFirst();
    return row !== undefined;
  },
};
