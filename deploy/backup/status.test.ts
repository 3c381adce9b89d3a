import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { prune } from './base.ts';
import { alone, reading, takeLock } from './lock.ts';
import { noting, statusOf } from './status.ts';
import { listBases, type Manifest, openStore, type Store, writeManifest } from './store.ts';
import { archiveWal } from './wal.ts';

const HOUR = 3_600_000;
const limits = { baseMs: 26 * HOUR, logMs: HOUR };
const now = Date.now();
let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parkline-backup-'));
  store = await openStore(join(folder, 'store'), [{ id: 'one', key: randomBytes(32) }]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function keepBase(endedAt: number, id = '20261123T030000Z'): Promise<void> {
  const draft = join(store.folder, 'base', `${id}.part`);
  mkdirSync(draft);
  await writeManifest(store, draft, {
    ...{ format: 1, id, beganAt: endedAt, endedAt, serverVersion: '17.6', timeline: 1, pieces: [] },
    ...{ systemIdentifier: '7', walSegmentBytes: 16_777_216, preload: '' },
    ...{ startLsn: '0/1000028', endLsn: '0/1000120' },
  } satisfies Manifest);
}

async function keepLog(): Promise<void> {
  const path = join(folder, 'segment');
  writeFileSync(path, 'log');
  await archiveWal(store, { path, name: '000000010000000000000001' });
}

const status = (at = now) => statusOf(store, at, limits);

describe('the state of the backups', () => {
  test('is well with a base backup of last night and a log of this hour', async () => {
    await keepBase(now - 5 * HOUR);
    await keepLog();
    const { lines, isWell } = await status();
    expect(isWell).toBe(true);
    expect(lines).toEqual([
      'the newest base backup is 20261123T030000Z, 5 hours old',
      expect.stringMatching(/^the log is archived up to /),
    ]);
  });

  test('says that there is nothing', async () => {
    expect(await status()).toMatchObject({
      ...{
        isWell: false,
        lines: [/^MISSING: .*no base backup/, /^MISSING: nothing of the log/].map(matching),
      },
    });
  });

  test('says when the nights went by without one, and when the log is no longer archived', async () => {
    await keepBase(now - 5 * HOUR);
    await keepLog();
    expect(await status(now + 43 * HOUR)).toMatchObject({
      ...{
        isWell: false,
        lines: [/^LATE: .*2 days old, more than 26 hours/, /^LATE: the log/].map(matching),
      },
    });
  });

  test('says why the last one failed, until one succeeds', async () => {
    await keepBase(now - 5 * HOUR);
    await keepLog();
    const failing = noting(
      store,
      () => now,
      () => Promise.reject(new Error('no room')),
    );
    await expect(failing).rejects.toThrow('no room');
    const { lines, isWell } = await status();
    expect(isWell).toBe(false);
    expect(lines[2]).toBe(`FAILED: the base backup of ${new Date(now).toISOString()}: no room`);
    await noting(
      store,
      () => now,
      () => Promise.resolve(),
    );
    expect(await status()).toMatchObject({ isWell: true });
  });

  test('tells one that is being made from one that was stopped', async () => {
    await keepBase(now - 5 * HOUR);
    await keepLog();
    mkdirSync(join(store.folder, 'base/20261123T040000Z.part'));
    await alone(store, async () =>
      expect(await status()).toMatchObject({
        ...{ isWell: true, lines: { 2: matching(/being made by process \d+ since 2/) } },
      }),
    );
    expect(await status()).toMatchObject({
      ...{
        isWell: false,
        lines: { 2: 'CUT SHORT: the base backup 20261123T040000Z was stopped before its end' },
      },
    });
  });
});

describe('two at once', () => {
  test('the second who makes a base backup is told of the first, and may go on after it', async () => {
    await alone(store, () =>
      expect(alone(store, () => Promise.resolve())).rejects.toThrow(
        new RegExp(`is under way \\(process ${process.pid} since .*the other goes on`),
      ),
    );
    expect(await alone(store, () => Promise.resolve(1))).toBe(1);
  });

  test('nothing is dropped while somebody reads, and two may read', async () => {
    for (const id of ['20261121T030000Z', '20261122T030000Z']) await keepBase(now, id);
    await reading(store, () =>
      reading(store, async () => {
        expect(await prune(store, 1)).toBeUndefined();
        expect(await listBases(store)).toHaveLength(2);
      }),
    );
    expect(await prune(store, 1)).toMatchObject({ bases: ['20261121T030000Z'] });
    expect(existsSync(join(store.folder, 'base/20261122T030000Z'))).toBe(true);
    const dropping = await takeLock(store, 'read', 'alone');
    await expect(reading(store, () => Promise.resolve())).rejects.toThrow(/being dropped/);
    await dropping?.release();
  });

  test('a store in which nobody can make a file is read without a lock, and locked by nobody alone', async () => {
    // The kernel's own folder: root may not make a file there either.
    const fixed: Store = { ...store, folder: '/sys' };
    expect(() => writeFileSync('/sys/read.lock', '')).toThrow(/EACCES|EROFS|EPERM/);
    expect(await reading(fixed, () => reading(fixed, () => Promise.resolve(1)))).toBe(1);
    await expect(takeLock(fixed, 'read', 'alone')).rejects.toThrow(/EACCES|EROFS|EPERM/);
  });

  test('a lock that is there is asked in a store that cannot be written, and one of no store is none', async () => {
    const dropping = await takeLock(store, 'read', 'alone');
    chmodSync(join(store.folder, 'read.lock'), 0o400);
    chmodSync(store.folder, 0o500);
    await expect(reading(store, () => Promise.resolve())).rejects.toThrow(/being dropped/);
    await dropping?.release();
    expect(await reading(store, () => Promise.resolve(1))).toBe(1);
    chmodSync(store.folder, 0o700);
    const none: Store = { ...store, folder: join(folder, 'none') };
    await expect(reading(none, () => Promise.resolve())).rejects.toThrow(/ENOENT/);
  });
});

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
