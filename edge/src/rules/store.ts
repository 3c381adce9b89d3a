import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { GatewayEvent } from '@parkline/contract';
import { OutboxError, translate } from '../pipeline/outbox-file.ts';

type AlarmEvent = Extract<GatewayEvent, { type: 'alarm' }>;

/** An alarm that stands. */
export interface RaisedAlarm {
  readonly key: string;
  readonly pointId: string;
  /** Unix ms. */
  readonly raisedAt: number;
  readonly value: number | null;
  readonly text: string;
}

/** What local rules must not forget over a restart: which alarms stand, what the outbox has not taken, when schedules ran. */
export interface RuleStore {
  raised(): RaisedAlarm[];
  /** The new state of an alarm, and the event that tells of it, in one. */
  note(event: AlarmEvent): void;
  /** Events that the outbox does not have yet, oldest first. */
  untold(): AlarmEvent[];
  told(id: string): void;
  /** Unix ms of the last time that a schedule came due; undefined when it never did. */
  ranAt(schedule: string): number | undefined;
  ran(schedule: string, dueAt: number): void;
  close(): void;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS alarm (
    key TEXT PRIMARY KEY, point_id TEXT NOT NULL, raised_at INTEGER NOT NULL, value REAL, text TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS untold (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS schedule (key TEXT PRIMARY KEY, due_at INTEGER NOT NULL) STRICT;`;

/**
 * Opens the file, or makes it. A damaged one is moved aside: its alarms are raised again by what the points show.
 * @throws OutboxError 'disk' when the folder cannot be written.
 */
export function openRuleStore(path: string, onMovedAside: (movedTo: string) => void): RuleStore {
  const db = openFile(path, onMovedAside);
  const sql = {
    raise: db.prepare('INSERT OR REPLACE INTO alarm VALUES (?, ?, ?, ?, ?)'),
    clear: db.prepare('DELETE FROM alarm WHERE key = ?'),
    keep: db.prepare('INSERT INTO untold (id, body) VALUES (?, ?)'),
    untold: db.prepare('SELECT body FROM untold ORDER BY n'),
    told: db.prepare('DELETE FROM untold WHERE id = ?'),
    ranAt: db.prepare('SELECT due_at FROM schedule WHERE key = ?'),
    ran: db.prepare('INSERT OR REPLACE INTO schedule VALUES (?, ?)'),
  };
  return {
    raised: () => readRaised(db),
    note(event) {
      db.exec('BEGIN IMMEDIATE');
      try {
        const { rule, pointId, at, value, text } = event;
        if (event.state === 'raised') sql.raise.run(rule, pointId, at, value, text);
        else sql.clear.run(rule);
        sql.keep.run(event.id, JSON.stringify(event));
        db.exec('COMMIT');
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    },
    untold: () => sql.untold.all().map((row) => JSON.parse(row['body'] as string) as AlarmEvent),
    told: (id) => void sql.told.run(id),
    ranAt: (schedule) => (sql.ranAt.get(schedule) as { due_at: number } | undefined)?.due_at,
    ran: (schedule, dueAt) => void sql.ran.run(schedule, dueAt),
    close() {
      if (db.isOpen) db.close();
    },
  };
}

function openFile(path: string, onMovedAside: (movedTo: string) => void): DatabaseSync {
  try {
    return prepareFile(path);
  } catch (error) {
    const translated = translate(error);
    if (!(translated instanceof OutboxError) || translated.code !== 'corrupt') throw translated;
    const movedTo = `${path}.corrupt`;
    for (const part of ['', '-wal', '-shm'])
      if (existsSync(path + part)) renameSync(path + part, movedTo + part);
    onMovedAside(movedTo);
    return prepareFile(path);
  }
}

function prepareFile(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 2_000 });
  try {
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${SCHEMA}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The alarms that stand, read beside a gateway that may be running. @throws Error when there is no such file. */
export function peekRaised(path: string): RaisedAlarm[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return readRaised(db);
  } finally {
    db.close();
  }
}

const readRaised = (db: DatabaseSync): RaisedAlarm[] =>
  db
    .prepare(
      'SELECT key, point_id AS pointId, raised_at AS raisedAt, value, text FROM alarm ORDER BY raised_at, key',
    )
    .all() as unknown as RaisedAlarm[];
