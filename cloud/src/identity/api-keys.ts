import { createHash, randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import type { Permissions, Person } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { type Grant, permissionsOf, rolesOf } from './permissions.ts';

declare module '../platform/db.ts' {
  interface Tables {
    apiKey: {
      id: string;
      accountId: string;
      name: string;
      personId: string;
      secretHash: Buffer;
      scopes: string[];
      buildingIds: string[] | null;
      createdAt: Date;
      expiresAt: Date;
      lastUsedAt: Date | null;
      revokedAt: Date | null;
    };
  }
}

/** `pk_<id without dashes>_<256 random bits>`: the prefix lets scanners of code find keys that were left there. */
const TOKEN = /^pk_([0-9a-f]{32})_([\w-]{43})$/;

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** @returns the key as its program sends it, and the hash that is kept of it. */
export function newToken(id: string): { readonly token: string; readonly secretHash: Buffer } {
  const secret = randomBytes(32).toString('base64url');
  return { token: `pk_${id.replaceAll('-', '')}_${secret}`, secretHash: hashOf(secret) };
}

/** What a request brings as a key; undefined when it brings none at all. */
export const bearerOf = ({ headers: { authorization } }: FastifyRequest): string | undefined =>
  /^bearer\s+(.*)$/is.exec(authorization ?? '')?.[1]?.trim();

function parseToken(text: string): { readonly id: string; readonly secret: string } | undefined {
  const [, hex, secret] = TOKEN.exec(text) ?? [];
  if (!hex || !secret) return undefined;
  return { id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'), secret };
}

interface FoundKey {
  readonly accountId: string;
  readonly tenantId: string | null;
  readonly personId: string;
  readonly scopes: readonly string[];
  readonly buildingIds: readonly string[] | null;
  readonly grants: readonly Grant[];
}

/** Whom a key stands for; undefined when there is no such key, or when it was revoked or is over: every request looks anew. */
export async function personOfKey(
  { db, now }: { readonly db: Db; readonly now: Now },
  bearer: string,
): Promise<Person | undefined> {
  const token = parseToken(bearer);
  if (!token) return undefined;
  const { rows } = await sql<FoundKey>`
    select * from api_key_find(${token.id}, ${hashOf(token.secret)}, ${now()})`.execute(db);
  const [found] = rows;
  if (!found) return undefined;
  const { accountId, tenantId, personId, scopes, buildingIds, grants } = found;
  return {
    ...{ accountId, tenantId, personId, sessionId: token.id, apiKeyId: token.id },
    ...{ by: 'api_key', secondFactor: null, roles: rolesOf(grants) },
    permissions: narrowed(permissionsOf(grants), scopes, buildingIds),
  };
}

/** What remains of a person's rights for a key: its scopes, where both may. Pure. */
export function narrowed(
  held: Permissions,
  scopes: readonly string[],
  buildingIds: readonly string[] | null,
): Permissions {
  const kept = new Map<string, readonly string[] | null>();
  for (const scope of scopes) {
    const buildings = held.get(scope);
    if (buildings === undefined) continue;
    const both = (ids: readonly string[]) => ids.filter((id) => buildings?.includes(id) ?? true);
    kept.set(scope, buildingIds === null ? buildings : both(buildingIds));
  }
  return kept;
}

export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly personId: string;
  readonly makerName: string;
  readonly scopes: string[];
  readonly buildingIds: string[] | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

const selected = (db: Db, accountId: string) =>
  db
    .selectFrom('apiKey as k')
    .innerJoin('person as p', (join) =>
      join.onRef('p.accountId', '=', 'k.accountId').onRef('p.id', '=', 'k.personId'),
    )
    .select(['k.id', 'k.name', 'k.personId', 'p.name as makerName', 'k.scopes', 'k.buildingIds'])
    .select(['k.createdAt', 'k.expiresAt', 'k.lastUsedAt', 'k.revokedAt'])
    .where('k.accountId', '=', accountId);

/** Inside `withActor`. */
export const apiKeys = {
  /** Newest first; their ids are in the order of time. */
  page: (
    db: Db,
    accountId: string,
    { limit, after }: { limit: number; after?: string },
  ): Promise<ApiKeyRow[]> =>
    selected(db, accountId)
      .$if(after !== undefined, (query) => query.where('k.id', '<', after ?? ''))
      .orderBy('k.id', 'desc')
      .limit(limit)
      .execute(),

  find: (db: Db, accountId: string, id: string): Promise<ApiKeyRow | undefined> =>
    selected(db, accountId).where('k.id', '=', id).executeTakeFirst(),

  async add(
    db: Db,
    key: Omit<ApiKeyRow, 'makerName' | 'lastUsedAt' | 'revokedAt'> & {
      readonly accountId: string;
      readonly secretHash: Buffer;
    },
  ): Promise<void> {
    await db
      .insertInto('apiKey')
      .values({ ...key, lastUsedAt: null, revokedAt: null })
      .execute();
  },

  /** @returns whether it was still in force. */
  async revoke(db: Db, accountId: string, id: string, at: Date): Promise<boolean> {
    const { numUpdatedRows } = await db
      .updateTable('apiKey')
      .set({ revokedAt: at })
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .where('revokedAt', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  },

  /** For streams that outlive their request. */
  async isAlive(db: Db, accountId: string, id: string, at: Date): Promise<boolean> {
    const key = await apiKeys.find(db, accountId, id);
    return key !== undefined && key.revokedAt === null && key.expiresAt > at;
  },

  /** Of these ids, how many are buildings in sight. */
  async countBuildings(db: Db, ids: readonly string[]): Promise<number> {
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from building where id = any (${[...ids]}::uuid[])`.execute(db);
    return rows[0]?.n ?? 0;
  },
};
