import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';

export const auditResults = ['done', 'refused'] as const;
export const AuditResult = Type.Enum(auditResults);
export type AuditResult = (typeof auditResults)[number];

/** One deed, done or refused, as it is kept in the account's chain. */
export const AuditEntryView = Type.Object({
  /** 1, 2, 3, ... within the account. */
  seq: Type.Integer({ minimum: 1 }),
  at: Instant,
  /** Null: the system itself. */
  personId: Nullable(Uuid),
  personName: Nullable(Type.String()),
  /** `<thing>.<what happened>`. */
  action: Type.String(),
  subjectId: Nullable(Uuid),
  /** Of whom it was done to, where it is a person. */
  subjectName: Nullable(Type.String()),
  result: AuditResult,
  /** Why it was refused: an error code of the API, or a word of the thing itself. Null: it was done, or for several reasons. */
  reason: Nullable(Type.String()),
  /** The fields that changed, as they were and as they became, what else was noted, and from which address. */
  before: Nullable(Type.Unknown()),
  after: Nullable(Type.Unknown()),
  details: Nullable(Type.Unknown()),
  ip: Nullable(Type.String()),
  /** What was personal in the entry was erased. */
  erased: Type.Boolean(),
});
export type AuditEntryView = Static<typeof AuditEntryView>;

export const AuditQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  /** The `seq` that the last page ended with; older ones follow. */
  after: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,14}$' })),
  person: Type.Optional(Uuid),
  subject: Type.Optional(Uuid),
  /** A whole action, or the thing before its dot: 'person'. */
  action: Type.Optional(Type.String({ pattern: '^[a-z_]+(\\.[a-z_]+)*$', maxLength: 80 })),
  result: Type.Optional(AuditResult),
});
export type AuditQuery = Static<typeof AuditQuery>;
