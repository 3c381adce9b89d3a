import { type Static, type TSchema, Type } from 'typebox';

/** ISO 8601 in UTC, milliseconds, ending in Z. The reader's page shows it in the site's zone. */
export const Instant = Type.String({ format: 'date-time' });
export const Uuid = Type.String({ format: 'uuid' });
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Every error body: a stable code for programs, a sentence in the reader's language, and what it is about. */
export const ErrorReply = Type.Object({
  code: Type.String(),
  message: Type.String(),
  details: Type.Optional(Type.Unknown()),
});
export type ErrorReply = Static<typeof ErrorReply>;

/** A page of a list. `next` goes back as `?after=`; null on the last page. */
export const Page = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next: Nullable(Type.String()) });

export const IdParams = Type.Object({ id: Uuid });
