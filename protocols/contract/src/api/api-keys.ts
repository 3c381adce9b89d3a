import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';

const KeyName = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' });

/** A key of a program, without its secret. */
export const ApiKey = Type.Object({
  id: Uuid,
  name: Type.String(),
  /** Who made it, and as whom it acts. */
  maker: Type.Object({ id: Uuid, name: Type.String() }),
  /** Permissions; of these it has what its maker still has. */
  scopes: Type.Array(Type.String()),
  /** Null: wherever its maker may. */
  buildingIds: Nullable(Type.Array(Uuid)),
  createdAt: Instant,
  expiresAt: Instant,
  /** To the minute. */
  lastUsedAt: Nullable(Instant),
  revokedAt: Nullable(Instant),
});
export type ApiKey = Static<typeof ApiKey>;

export const NewApiKey = Type.Object({
  name: KeyName,
  scopes: Type.Array(Type.String({ maxLength: 60 }), { minItems: 1, maxItems: 100, uniqueItems: true }),
  buildingIds: Type.Optional(Nullable(Type.Array(Uuid, { minItems: 1, maxItems: 200, uniqueItems: true }))),
  /** At most two years ahead. */
  expiresAt: Instant,
});
export type NewApiKey = Static<typeof NewApiKey>;

/** The only time that the key itself is told. */
export const MadeApiKey = Type.Object({ ...ApiKey.properties, key: Type.String() });
export type MadeApiKey = Static<typeof MadeApiKey>;

/** What the person who asks can give to a key. */
export const ApiKeyScopes = Type.Object({ scopes: Type.Array(Type.String()) });
export type ApiKeyScopes = Static<typeof ApiKeyScopes>;
