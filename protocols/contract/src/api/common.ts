import { type Static, type TSchema, Type } from 'typebox';

/** ISO 8601 in UTC, milliseconds, ending in Z. The reader's page shows it in the site's zone. */
export const Instant = Type.String({ format: 'date-time' });
/** A day on the site's own calendar: '2026-03-01'. */
export const LocalDate = Type.String({ format: 'date' });
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

/** Which page of a list. */
export const ListQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 500 }),
  after: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
});
export type ListQuery = Static<typeof ListQuery>;

/** Which page of a list that goes on after an id. */
export const IdListQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 500 }),
  after: Type.Optional(Uuid),
});
export type IdListQuery = Static<typeof IdListQuery>;

/** A name in both languages of the product. */
export const LocalName = Type.Object({
  en: Type.String({ minLength: 1, maxLength: 200 }),
  zh: Type.String({ minLength: 1, maxLength: 200 }),
});
export type LocalName = Static<typeof LocalName>;
