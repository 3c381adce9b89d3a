import { createHash, randomBytes } from 'node:crypto';
import type { DisplayToken } from '@parkline/contract';
import { sql } from 'kysely';
import type { Person } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { narrowed } from './api-keys.ts';
import { type Grant, permissionsOf, rolesOf } from './permissions.ts';
import './tables.ts';

declare module '../platform/db.ts' {
  interface Tables {
    displayToken: {
      id: string;
      accountId: string;
      name: string;
      personId: string;
      secretHash: Buffer;
      createdAt: Date;
      expiresAt: Date;
      seenAt: Date | null;
    };
  }
}

/** What a wall screen may read, where its maker may. */
const READABLE = ['place.read', 'equipment.read', 'point.read', 'fault.read'] as const;

/** `pd_<id without dashes>_<256 random bits>`. */
const TOKEN = /^pd_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_([\w-]{43})$/;
const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

export const isDisplayToken = (bearer: string): boolean => bearer.startsWith('pd_');

/** @returns the token as it is shown once, and the hash that is kept of it. */
export function newDisplayToken(id: string): { readonly token: string; readonly secretHash: Buffer } {
  const secret = randomBytes(32).toString('base64url');
  return { token: `pd_${id.replaceAll('-', '')}_${secret}`, secretHash: hashOf(secret) };
}

/** Whom a token stands for; undefined when there is none such, or its time or its maker is gone: every request looks anew. */
export async function personOfDisplay(
  { db, now }: { readonly db: Db; readonly now: Now },
  bearer: string,
): Promise<Person | undefined> {
  const parts = TOKEN.exec(bearer);
  if (!parts) return undefined;
  const [id, secret] = [parts.slice(1, 6).join('-'), parts[6] ?? ''];
  const { rows } = await sql<{ accountId: string; personId: string; grants: readonly Grant[] }>`
    select * from display_token_find(${id}, ${hashOf(secret)}, ${now()})`.execute(db);
  const [found] = rows;
  if (!found) return undefined;
  const { accountId, personId, grants } = found;
  return {
    ...{ accountId, tenantId: null, personId, sessionId: id },
    ...{ by: 'display', secondFactor: null, roles: rolesOf(grants) },
    permissions: narrowed(permissionsOf(grants), READABLE, null),
  };
}

/** Inside `withActor`. */
export const displayTokens = {
  /** Newest first; their ids are in the order of time. */
  async page(
    db: Db,
    accountId: string,
    { limit, after }: { limit: number; after?: string | undefined },
  ): Promise<DisplayToken[]> {
    const rows = await db
      .selectFrom('displayToken as t')
      .innerJoin('person as p', 'p.id', 't.personId')
      .select(['t.id', 't.name', 'p.name as madeBy', 't.createdAt', 't.expiresAt', 't.seenAt'])
      .where('t.accountId', '=', accountId)
      .$if(after !== undefined, (query) => query.where('t.id', '<', after ?? ''))
      .orderBy('t.id', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ createdAt, expiresAt, seenAt, ...token }) => ({
      ...token,
      createdAt: createdAt.toISOString(),
      expiresAt: expiresAt.toISOString(),
      lastSeen: seenAt?.toISOString() ?? null,
    }));
  },

  async add(
    db: Db,
    token: {
      readonly id: string;
      readonly accountId: string;
      readonly personId: string;
      readonly name: string;
      readonly secretHash: Buffer;
      readonly createdAt: Date;
      readonly expiresAt: Date;
    },
  ): Promise<void> {
    await db
      .insertInto('displayToken')
      .values({ ...token, seenAt: null })
      .execute();
  },

  /** @returns the name of the token that ended; undefined: there was none. */
  async revoke(db: Db, accountId: string, id: string): Promise<string | undefined> {
    const gone = await db
      .deleteFrom('displayToken')
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .returning('name')
      .executeTakeFirst();
    return gone?.name;
  },

  /** For streams that outlive their request. */
  async isAlive(db: Db, accountId: string, id: string, at: Date): Promise<boolean> {
    const row = await db
      .selectFrom('displayToken as t')
      .innerJoin('person as p', 'p.id', 't.personId')
      .select('t.id')
      .where('t.accountId', '=', accountId)
      .where('t.id', '=', id)
      .where('t.expiresAt', '>', at)
      .where('p.disabledAt', 'is', null)
      .executeTakeFirst();
    return row !== undefined;
  },
};
