import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { draft, openTestOutbox, scratch, testDeps } from '../testing/scratch.ts';
import { openOutbox, OutboxError } from './outbox.ts';

const KB = Buffer.alloc(1_024, 7);

describe('a file that cannot be used', () => {
  const path = (home: string) => join(home, 'outbox.sqlite');

  function damaged(home: string): void {
    const outbox = openTestOutbox(home);
    for (let i = 0; i < 300; i += 1) outbox.append(draft({ bytes: KB }));
    outbox.close();
    const file = openSync(path(home), 'r+');
    for (let page = 2; page < statSync(path(home)).size / 4_096; page += 3) {
      writeSync(file, Buffer.alloc(4_096, 0xa5), 0, 4_096, page * 4_096);
    }
    closeSync(file);
  }

  test.each([
    ['damaged pages', damaged],
    [
      'no database at all',
      (home: string) => {
        writeFileSync(path(home), Buffer.alloc(9_000, 0x41));
      },
    ],
    [
      'a database without its identity',
      (home: string) => {
        openTestOutbox(home).close();
        const db = new DatabaseSync(path(home));
        db.exec('DELETE FROM meta');
        db.close();
      },
    ],
  ])('%s: moved aside whole, and a new outbox begins', (_why, damage) => {
    using home = scratch();
    damage(home.path);
    const before = readFileSync(path(home.path));
    const moved: string[] = [];
    const outbox = openTestOutbox(home.path, { onMovedAside: (to) => moved.push(to) });
    expect(outbox.append(draft())).toBe(1);
    outbox.close();
    expect(moved).toHaveLength(1);
    expect(readFileSync(moved[0]!).equals(before)).toBe(true);
  });

  test('whoever only visits leaves a damaged file where its gateway writes', () => {
    using home = scratch();
    writeFileSync(path(home.path), 'no database');
    const { onMovedAside: _owner, ...visitor } = testDeps(home.path);
    expect(() => openOutbox(visitor)).toThrow(expect.objectContaining({ code: 'corrupt' }));
    expect(readdirSync(home.path).filter((name) => name.includes('corrupt'))).toEqual([]);
  });

  test('nobody but its owner can read it', () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path);
    outbox.append(draft());
    for (const name of readdirSync(home.path)) expect(statSync(join(home.path, name)).mode & 0o077).toBe(0);
    outbox.close();
  });

  test('one of a later version is left alone', () => {
    using home = scratch();
    openTestOutbox(home.path).close();
    const db = new DatabaseSync(path(home.path));
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => openTestOutbox(home.path)).toThrow(expect.objectContaining({ code: 'newer' }));
    expect(readdirSync(home.path).filter((name) => name.includes('corrupt'))).toEqual([]);
  });

  test('a folder that is not there is a fault of the disk', () => {
    using home = scratch();
    expect(() => openTestOutbox(join(home.path, 'gone'))).toThrow(expect.objectContaining({ code: 'disk' }));
    expect(existsSync(join(home.path, 'gone'))).toBe(false);
  });

  test('a second writer that holds the file is a fault that passes', () => {
    using home = scratch();
    const outbox = openTestOutbox(home.path, { busyMs: 10 });
    const other = new DatabaseSync(path(home.path));
    other.exec('BEGIN IMMEDIATE');
    expect(() => outbox.append(draft())).toThrow(OutboxError);
    other.exec('ROLLBACK');
    other.close();
    expect(outbox.append(draft())).toBe(1);
    outbox.close();
  });
});
