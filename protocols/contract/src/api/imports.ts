import { type Static, Type } from 'typebox';
import { Instant, Nullable, Uuid } from './common.ts';

/** What a person or another system calls a thing: unique among its kind in an account, and never changed by an import. */
export const keyPattern = '^[\\p{L}\\p{N}][\\p{L}\\p{N}._-]{0,62}$';
export const Key = Type.String({ pattern: keyPattern });

/** One thing to say of a file. `row` as a spreadsheet counts, the header is 1; 0: the file as a whole. */
export const RowNote = Type.Object({
  row: Type.Integer(),
  /** Name of the column; '' where the whole row is meant. */
  field: Type.String(),
  /** In the reader's language. */
  message: Type.String(),
});
export type RowNote = Static<typeof RowNote>;

/** What a file does, or would do. With errors nothing is stored. */
export const ImportResult = Type.Object({
  kind: Type.String(),
  dryRun: Type.Boolean(),
  /** What to undo it by; null where nothing was stored. */
  batchId: Nullable(Uuid),
  add: Type.Integer(),
  change: Type.Integer(),
  unchanged: Type.Integer(),
  /** What is wrong. The first of them; `errorCount` counts all. */
  errors: Type.Array(RowNote),
  errorCount: Type.Integer(),
  /** What its rows still need to work, and what to do about it: they are stored all the same. Also of rows that are unchanged. */
  warnings: Type.Array(RowNote),
  warningCount: Type.Integer(),
});
export type ImportResult = Static<typeof ImportResult>;

export const ImportQuery = Type.Object({
  kind: Type.String({ maxLength: 50 }),
  /** Checks everything and stores nothing. */
  dryRun: Type.Boolean({ default: false }),
  /** Name of the file, for the list of imports. */
  file: Type.Optional(Type.String({ maxLength: 200 })),
});

/** An import that was stored. */
export const ImportBatch = Type.Object({
  id: Uuid,
  kind: Type.String(),
  file: Nullable(Type.String()),
  at: Instant,
  add: Type.Integer(),
  change: Type.Integer(),
  undoneAt: Nullable(Instant),
});
export type ImportBatch = Static<typeof ImportBatch>;

export const ImportBatchQuery = Type.Object({
  after: Type.Optional(Uuid),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
});

/** What can be imported, and the columns of it. */
export const ImportKind = Type.Object({
  kind: Type.String(),
  title: Type.String(),
  columns: Type.Array(Type.Object({ name: Type.String(), header: Type.String(), required: Type.Boolean() })),
});
export type ImportKind = Static<typeof ImportKind>;

/** `spaces.csv`, `leases.xlsx`. */
export const SheetName = Type.Object({
  name: Type.String({
    pattern: '^[a-z-]{1,50}\\.(csv|xlsx)$',
    description: 'Kind and format: `tenants.xlsx`.',
  }),
});
