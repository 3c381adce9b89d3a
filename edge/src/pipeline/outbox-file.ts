import { randomBytes } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { makePrivate } from '../base/private-file.ts';

/** Grows by one with each change of the tables below. */
const VERSION = 2;

/**
 * disk: the file cannot be written or read now; nothing was changed, try again later.
 * corrupt: the file is damaged; a restart moves it aside. newer: a later version of this program wrote it.
 */
export type OutboxErrorCode = 'disk' | 'corrupt' | 'newer';

export class OutboxError extends Error {
  readonly code: OutboxErrorCode;

  constructor(code: OutboxErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'OutboxError';
    this.code = code;
  }
}

// `epoch` names this file for ever: a seq is only unique within it. `secret` makes message ids that nobody can guess.
const SCHEMA = `
  CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL, secret BLOB NOT NULL, next_seq INTEGER NOT NULL, table_hash TEXT
  ) STRICT;
  CREATE TABLE message (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, envelope BLOB NOT NULL,
    appended_at INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, received_at INTEGER
  ) STRICT;
  CREATE INDEX message_waiting ON message (seq) WHERE received_at IS NULL;
  CREATE INDEX message_waiting_table ON message (seq) WHERE received_at IS NULL AND kind = 'points';
  CREATE INDEX message_kept ON message (received_at) WHERE received_at IS NOT NULL;
  CREATE TABLE gap (
    id INTEGER PRIMARY KEY, what TEXT NOT NULL, why TEXT NOT NULL,
    from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, count INTEGER NOT NULL,
    told_seq INTEGER -- The message that tells the cloud; null until it is written.
  ) STRICT;
  PRAGMA user_version = ${VERSION};`;

/** Steps from each older version to the next: the file keeps its name, its numbers and all it holds. */
const UPGRADES: readonly string[] = ['ALTER TABLE gap ADD COLUMN told_seq INTEGER; PRAGMA user_version = 2;'];

/**
 * Opens the outbox file, or makes it. A damaged one is moved aside, never deleted: it may hold readings that exist
 * nowhere else. `movedTo` tells where it went. Only its owner may do that: whoever else has it open would write on into what
 * was moved.
 * @throws OutboxError 'newer' or 'disk', and 'corrupt' unless `mayMoveAside`; nothing was changed then.
 */
export function openFile(
  path: string,
  { suffix, busyMs, mayMoveAside }: { suffix: string; busyMs: number; mayMoveAside: boolean },
): { db: DatabaseSync; movedTo?: string; cause?: unknown } {
  try {
    return { db: open(path, busyMs) };
  } catch (error) {
    const translated = translate(error);
    const isDamaged = translated instanceof OutboxError && translated.code === 'corrupt';
    if (!isDamaged || !mayMoveAside) throw translated;
    const movedTo = `${path}.corrupt-${suffix}`;
    for (const part of ['', '-wal', '-shm']) {
      if (existsSync(path + part)) renameSync(path + part, movedTo + part);
    }
    return { db: open(path, busyMs), movedTo, cause: translated };
  }
}

/** Opens a database that only its owner can read. @throws Error of SQLite, OutboxError 'disk' when it cannot be made. */
export function openDatabase(path: string, busyMs: number): DatabaseSync {
  try {
    makePrivate(path);
  } catch (cause) {
    throw new OutboxError('disk', `${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
  return new DatabaseSync(path, { timeout: busyMs });
}

function open(path: string, busyMs: number): DatabaseSync {
  const db = openDatabase(path, busyMs);
  try {
    // FULL: a commit is on the disk, not in its cache; NORMAL loses everything since the last checkpoint.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > VERSION)
      throw new OutboxError('newer', `${path} has version ${version}, this program knows ${VERSION}`);
    if (version === 0) create(db);
    else {
      check(db);
      for (const step of UPGRADES.slice(version - 1)) db.exec(`BEGIN IMMEDIATE; ${step} COMMIT;`);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function create(db: DatabaseSync): void {
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA}`);
  db.prepare('INSERT INTO meta VALUES (1, ?, ?, 1, NULL)').run(
    randomBytes(8).toString('hex'),
    randomBytes(32),
  );
  db.exec('COMMIT');
}

function check(db: DatabaseSync): void {
  const verdict = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (verdict !== 'ok') throw new OutboxError('corrupt', `quick check says ${String(verdict)}`);
  if (!db.prepare('SELECT 1 FROM meta').get()) throw new OutboxError('corrupt', 'the meta row is missing');
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
    throw translate(error);
  }
}

/** A look-up outside a transaction. @throws OutboxError like {@link transact}. */
export function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translate(error);
  }
}

const CORRUPT = new Set([11 /* SQLITE_CORRUPT */, 26 /* SQLITE_NOTADB */]);
const DISK = new Set([5 /* BUSY */, 8 /* READONLY */, 10 /* IOERR */, 13 /* FULL */, 14 /* CANTOPEN */]);

/** SQLite's result code says who is to blame; anything else is our own bug and stays as it is. */
export function translate(error: unknown): unknown {
  const code = (error as { errcode?: unknown }).errcode;
  if (typeof code !== 'number') return error;
  const message = error instanceof Error ? error.message : String(error);
  if (CORRUPT.has(code & 0xff)) return new OutboxError('corrupt', message, { cause: error });
  if (DISK.has(code & 0xff)) return new OutboxError('disk', message, { cause: error });
  return error;
}
