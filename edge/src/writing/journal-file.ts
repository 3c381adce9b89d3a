import { existsSync, renameSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase, OutboxError, translate } from '../pipeline/outbox-file.ts';

/** Grows by one with each change of the tables below. */
const VERSION = 1;
/** How long to wait for somebody else's lock, ms. */
const BUSY_MS = 2_000;

// command: every id ever taken, so that none is carried out twice; begun_at is set before the write.
// hold: what is to be given back, and when. event: results that the outbox does not have yet.
const SCHEMA = `
  CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1), newest_issued_at INTEGER NOT NULL, not_before INTEGER NOT NULL
  ) STRICT;
  INSERT INTO meta VALUES (1, 0, 0);
  CREATE TABLE command (
    id TEXT PRIMARY KEY, point_id TEXT NOT NULL, taken_at INTEGER NOT NULL,
    begun_at INTEGER, before REAL, ended_at INTEGER
  ) STRICT;
  CREATE INDEX command_open ON command (taken_at) WHERE ended_at IS NULL;
  CREATE INDEX command_begun ON command (begun_at) WHERE begun_at IS NOT NULL;
  CREATE TABLE hold (
    command_id TEXT PRIMARY KEY, point_id TEXT NOT NULL, due_at INTEGER NOT NULL, hold_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE event (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  PRAGMA user_version = ${VERSION};`;

/**
 * Opens the journal of commands, or makes it. A damaged one is moved aside; what it knew is lost, so the new one takes no
 * command that was issued before `now` (Unix ms).
 * @throws OutboxError 'newer' or 'disk'; nothing was changed then.
 */
export function openJournalFile(path: string, now: number): { db: DatabaseSync; movedTo?: string } {
  try {
    return { db: open(path) };
  } catch (error) {
    const translated = translate(error);
    if (!(translated instanceof OutboxError) || translated.code !== 'corrupt') throw translated;
    const movedTo = `${path}.corrupt-${new Date(now).toISOString().replaceAll(':', '-')}`;
    for (const part of ['', '-wal', '-shm'])
      if (existsSync(path + part)) renameSync(path + part, movedTo + part);
    const db = open(path);
    db.prepare('UPDATE meta SET not_before = ?').run(now);
    return { db, movedTo };
  }
}

function open(path: string): DatabaseSync {
  const db = openDatabase(path, BUSY_MS);
  try {
    // FULL: a commit is on the disk before the device hears of the command.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    const version = db.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version === 0) db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`);
    else if (version !== VERSION)
      throw new OutboxError('newer', `${path} has version ${String(version)}, this program knows ${VERSION}`);
    const verdict = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (verdict !== 'ok') throw new OutboxError('corrupt', `quick check says ${String(verdict)}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
