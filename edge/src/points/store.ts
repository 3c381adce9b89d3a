import type { Plan } from './diff.ts';
import type { Format, PointDraft } from './point.ts';
import { openStoreFile, transact } from './store-file.ts';

/** A point of the list. */
export interface StoredPoint {
  /** UUIDv7, made when the point was first imported. */
  readonly id: string;
  readonly source: string;
  readonly point: PointDraft;
}

/** One import that was committed. */
export interface Batch {
  readonly id: number;
  /** Unix ms. */
  readonly at: number;
  readonly file: string;
  readonly format: string;
  readonly source: string;
  readonly added: number;
  readonly changed: number;
  readonly undoneAt: number | null;
}

/** no_batch: there is none of that number. undone: it was undone before. later: later batches changed the same points. */
export type UndoOutcome =
  | { readonly ok: true; readonly removed: number; readonly restored: number }
  | { readonly ok: false; readonly why: 'no_batch' }
  | { readonly ok: false; readonly why: 'undone' }
  | {
      readonly ok: false;
      readonly why: 'later';
      readonly batches: readonly number[];
      readonly points: number;
    };

/** The point list of a gateway. Every method is one transaction. @throws StoreError */
export interface PointStore {
  /** Points of one source by their key. */
  pointsOf(source: string): ReadonlyMap<string, PointDraft>;
  points(): readonly StoredPoint[];
  batches(): readonly Batch[];
  /**
   * Adds and changes what the plan says, if the list is still what the plan was made for.
   * @returns number of the batch; null when there was nothing to do, or why not.
   */
  commit(
    plan: Plan,
    about: { file: string; format: Format },
  ): { batch: number | null } | { why: 'changed_meanwhile' };
  /** Puts back what the batch found. Refused when a later batch stands on it. */
  undo(batch: number): UndoOutcome;
  close(): void;
}

export interface StoreDeps {
  readonly path: string;
  /** How long to wait for another process that writes. */
  readonly busyMs: number;
  now(): number;
  createId(): string;
}

/** Opens the point list, or makes it. @throws StoreError */
export function openPointStore({ path, busyMs, now, createId }: StoreDeps): PointStore {
  const db = openStoreFile(path, busyMs);
  const bySource = db.prepare('SELECT id, key, body FROM point WHERE source = ?');
  const byKey = db.prepare('SELECT id, body FROM point WHERE source = ? AND key = ?');
  const insertPoint = db.prepare('INSERT INTO point (id, source, key, body) VALUES (?, ?, ?, ?)');
  const updatePoint = db.prepare('UPDATE point SET body = ? WHERE id = ?');
  const deletePoint = db.prepare('DELETE FROM point WHERE id = ?');
  const insertBatch = db.prepare(
    'INSERT INTO batch (at, file, format, source, added, changed) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const insertChange = db.prepare(
    'INSERT INTO change (batch, point, row, key, before, after) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const changesOf = db.prepare('SELECT point, before FROM change WHERE batch = ?');
  const laterThan = db.prepare(`
    SELECT later.batch AS batch, count(*) AS points FROM change AS mine
    JOIN change AS later ON later.point = mine.point AND later.batch > mine.batch
    JOIN batch ON batch.id = later.batch AND batch.undone_at IS NULL
    WHERE mine.batch = ? GROUP BY later.batch ORDER BY later.batch`);

  const pointsOf = (source: string): ReadonlyMap<string, PointDraft> =>
    new Map(bySource.all(source).map(({ key, body }) => [String(key), readBody(body)]));

  /** Whether a point is still as the plan found it. */
  const isAsPlanned = (source: string, { point, what, fields }: Plan['changes'][number]): boolean => {
    const row = byKey.get(source, point.key);
    if (what === 'add') return row === undefined;
    const isSame = row !== undefined && row['body'] === JSON.stringify(point);
    return what === 'unchanged' ? isSame : row !== undefined && !isSame && fields.length > 0;
  };

  const commit: PointStore['commit'] = (plan, { file, format }) =>
    transact(db, () => {
      const { source } = plan;
      const todo = plan.changes.filter(({ what }) => what !== 'unchanged');
      if (!todo.every((change) => isAsPlanned(source, change))) return { why: 'changed_meanwhile' };
      if (todo.length === 0) return { batch: null };
      const batch = Number(
        insertBatch.run(now(), file, format, source, plan.add, plan.change).lastInsertRowid,
      );
      for (const { row, point, what } of todo) {
        const after = JSON.stringify(point);
        const before = what === 'add' ? undefined : byKey.get(source, point.key);
        const id = before ? String(before['id']) : createId();
        if (before) updatePoint.run(after, id);
        else insertPoint.run(id, source, point.key, after);
        insertChange.run(batch, id, row, point.key, before ? String(before['body']) : null, after);
      }
      return { batch };
    });

  const undo = (batch: number): UndoOutcome =>
    transact(db, () => {
      const row = db.prepare('SELECT undone_at FROM batch WHERE id = ?').get(batch);
      if (!row) return { ok: false, why: 'no_batch' };
      if (row['undone_at'] !== null) return { ok: false, why: 'undone' };
      const later = laterThan.all(batch);
      if (later.length > 0) {
        const points = later.reduce((sum, one) => sum + Number(one['points']), 0);
        return { ok: false, why: 'later', batches: later.map((one) => Number(one['batch'])), points };
      }
      const count = { removed: 0, restored: 0 };
      for (const { point, before } of changesOf.all(batch)) {
        if (before === null) deletePoint.run(point!);
        else updatePoint.run(before!, point!);
        count[before === null ? 'removed' : 'restored'] += 1;
      }
      db.prepare('UPDATE batch SET undone_at = ? WHERE id = ?').run(now(), batch);
      return { ok: true, ...count };
    });

  return {
    pointsOf,
    commit,
    undo,
    points: () =>
      db
        .prepare('SELECT id, source, body FROM point ORDER BY source, key')
        .all()
        .map(({ id, source, body }) => ({ id: String(id), source: String(source), point: readBody(body) })),
    batches: () =>
      db
        .prepare('SELECT * FROM batch ORDER BY id')
        .all()
        .map((row) => ({
          id: Number(row['id']),
          at: Number(row['at']),
          file: String(row['file']),
          format: String(row['format']),
          source: String(row['source']),
          added: Number(row['added']),
          changed: Number(row['changed']),
          undoneAt: row['undone_at'] === null ? null : Number(row['undone_at']),
        })),
    close: () => {
      db.close();
    },
  };
}

const readBody = (body: unknown): PointDraft => JSON.parse(String(body)) as PointDraft;
