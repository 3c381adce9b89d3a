import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DriverError, type DriverLog } from '@parkline/kit';

/** Grows by one with each change of the tables below. */
const VERSION = 1;
/** SQLite result codes, sqlite.org/rescode.html: the file is damaged, or is none. */
const DAMAGED = new Set([11, 26]);

// inbox: what devices told and the driver has not surely passed on. outgoing: what waits for clients that will come back.
const SCHEMA = `
  CREATE TABLE inbox (
    id INTEGER PRIMARY KEY, owner TEXT NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    qos INTEGER NOT NULL, retain INTEGER NOT NULL, received_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE retained (
    topic TEXT PRIMARY KEY, payload BLOB NOT NULL, qos INTEGER NOT NULL, received_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE subscription (
    client TEXT NOT NULL, filter TEXT NOT NULL, qos INTEGER NOT NULL, PRIMARY KEY (client, filter)
  ) STRICT;
  CREATE TABLE outgoing (
    id INTEGER PRIMARY KEY, client TEXT NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    qos INTEGER NOT NULL, retain INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX outgoing_client ON outgoing (client);
  CREATE TABLE will (
    client TEXT PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL, qos INTEGER NOT NULL, retain INTEGER NOT NULL
  ) STRICT;
  PRAGMA user_version = ${VERSION};`;

/**
 * Opens the file of a broker, or makes it and its folder. A damaged one is moved aside, never deleted.
 * @throws DriverError 'config' when a later version of this program wrote it, or the folder cannot be written.
 */
export function openStoreFile(path: string, log: DriverLog, now: () => number): DatabaseSync {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return open(path);
  } catch (error) {
    if (error instanceof DriverError) throw error;
    if (!DAMAGED.has((error as { errcode?: number }).errcode ?? 0)) throw unusable(path, error);
    const movedTo = `${path}.corrupt-${now()}`;
    for (const part of ['', '-wal', '-shm'])
      if (existsSync(path + part)) renameSync(path + part, movedTo + part);
    log.warn({ path, movedTo, err: error }, 'mqtt store is damaged: moved aside, begun anew');
    return open(path);
  }
}

const unusable = (path: string, cause: unknown): DriverError =>
  new DriverError('config', `cannot use ${path}: ${String(cause)}; check the folder and its disk`, 'mqtt', {
    cause,
  });

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5_000 });
  try {
    // FULL: a commit is on the disk, not in its cache.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    const version = db.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version === 0) db.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    else if (version !== VERSION)
      throw new DriverError(
        'config',
        `${path} has version ${String(version)}, this program knows ${VERSION}: update the gateway`,
        'mqtt',
      );
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
