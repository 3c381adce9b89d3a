import { DatabaseSync } from 'node:sqlite';
import { makePrivate } from '../base/private-file.ts';

/** Grows by one with each change of the tables below. */
const VERSION = 1;

/**
 * disk: the file cannot be read or written now. corrupt: it is damaged. newer: a later version of this program wrote it.
 * In each case nothing was changed.
 */
export type StoreErrorCode = 'disk' | 'corrupt' | 'newer';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

const SCHEMA = `
  CREATE TABLE point (
    id TEXT PRIMARY KEY, source TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (source, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE batch (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, file TEXT NOT NULL, format TEXT NOT NULL,
    source TEXT NOT NULL, added INTEGER NOT NULL, changed INTEGER NOT NULL, undone_at INTEGER
  ) STRICT;
  CREATE TABLE change (
    batch INTEGER NOT NULL REFERENCES batch, point TEXT NOT NULL, row INTEGER NOT NULL,
    key TEXT NOT NULL, before TEXT, after TEXT NOT NULL, PRIMARY KEY (batch, point)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX change_of_point ON change (point, batch);
  PRAGMA user_version = ${VERSION};`;

/** Opens the point list of a gateway, or makes it. @throws StoreError */
export function openStoreFile(path: string, busyMs: number): DatabaseSync {
  try {
    makePrivate(path);
    const db = new DatabaseSync(path, { timeout: busyMs });
    try {
      // FULL: a commit is on the disk, not in its cache.
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
      transact(db, () => {
        const version = db.prepare('PRAGMA user_version').get()?.['user_version'];
        if (version === 0) db.exec(SCHEMA);
        else if (version !== VERSION) {
          throw new StoreError(
            'newer',
            `${path} has version ${String(version)}, this program knows ${VERSION}`,
          );
        }
      });
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw translate(error, path);
  }
}

/** Runs `work` in one transaction: all of it is on the disk when this returns, or none of it. */
export function transact<T>(db: DatabaseSync, work: () => T): T {
  try {
    db.exec('BEGIN IMMEDIATE');
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw translate(error, db.location() ?? 'the point list');
  }
}

const CORRUPT = new Set([11 /* SQLITE_CORRUPT */, 26 /* SQLITE_NOTADB */]);
const DISK = new Set([5 /* BUSY */, 8 /* READONLY */, 10 /* IOERR */, 13 /* FULL */, 14 /* CANTOPEN */]);

/** SQLite's result code says who is to blame; anything else is our own bug and stays as it is. */
function translate(error: unknown, path: string): unknown {
  const { errcode: code, syscall } = error as { errcode?: unknown; syscall?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  if (typeof syscall === 'string') return new StoreError('disk', message, { cause: error });
  if (typeof code !== 'number') return error;
  if (CORRUPT.has(code & 0xff)) {
    return new StoreError('corrupt', `${path} is damaged (${message}); move it aside and import again`, {
      cause: error,
    });
  }
  if (DISK.has(code & 0xff)) return new StoreError('disk', `${path}: ${message}`, { cause: error });
  return error;
}
