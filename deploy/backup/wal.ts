import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { BackupError } from './keys.ts';
import {
  headOf,
  listWal,
  type Manifest,
  publish,
  readSealed,
  type Store,
  walFile,
  walName,
  writeSealed,
} from './store.ts';

/** Names that PostgreSQL gives to what it archives: segments, histories of timelines, notes of backups, last parts of a timeline. */
const SEGMENT = /^[0-9A-F]{24}$/;
const NAME = /^(?:[0-9A-F]{24}(?:\.partial|\.[0-9A-F]{8}\.backup)?|[0-9A-F]{8}\.history)$/;

/**
 * Archives one finished file of the log: PostgreSQL's archive_command. Once it returned, the file is on the disk. The same
 * file again is fine, another one under a name that is taken is not.
 * @throws BackupError; PostgreSQL then keeps the file and tries again.
 */
export async function archiveWal(
  store: Store,
  { path, name }: { path: string; name: string },
): Promise<void> {
  if (!NAME.test(name)) throw new BackupError(`${name} is no name of a file of PostgreSQL's log`);
  const file = walFile(store, name);
  const draft = `${file}.part`; // PostgreSQL archives one file after the other.
  await rm(draft, { force: true });
  try {
    // Its last record, not this moment: an archive that was stuck for an hour is as good as one that was not.
    const at = Math.trunc((await stat(path)).mtimeMs);
    await writeSealed(createReadStream(path), store, { file: draft, name: walName(name), at });
    await publish(draft, file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    await assertSame(store, path, name);
  } finally {
    await rm(draft, { force: true });
  }
}

async function assertSame(store: Store, path: string, name: string): Promise<void> {
  const kept: Buffer[] = [];
  const sink = new Writable({ write: (bytes: Buffer, _encoding, done) => (kept.push(bytes), done()) });
  await readSealed(store, { file: walFile(store, name), name: walName(name) }, sink);
  if (!Buffer.concat(kept).equals(await readFile(path)))
    throw new BackupError(
      `${name} was archived before with other content: do two servers archive into ${store.folder}?`,
    );
}

/** Number of the segment that holds an address of the log. @param lsn as `0/2000028`. */
export function segmentOf(lsn: string, segmentBytes: number): number {
  const [high = '', low = ''] = lsn.split('/');
  return Number((BigInt(`0x${high}`) * 0x1_0000_0000n + BigInt(`0x${low}`)) / BigInt(segmentBytes));
}

/** Number of the segment that a file name of the log means. */
const numberOf = (name: string, segmentBytes: number): number =>
  parseInt(name.slice(8, 16), 16) * (0x1_0000_0000 / segmentBytes) + parseInt(name.slice(16, 24), 16);

const nameOf = (number: number, timeline: number, segmentBytes: number): string => {
  const perLog = 0x1_0000_0000 / segmentBytes;
  const parts = [timeline, Math.floor(number / perLog), number % perLog];
  return parts.map((part) => part.toString(16).toUpperCase().padStart(8, '0')).join('');
};

/** What of the log a restore needs. */
export interface Chain {
  /** Names of files, segments and histories. */
  readonly names: readonly string[];
  /** When the last of them was written, Unix ms. */
  readonly until: number;
}

/** Restores take this much of the log beyond the moment asked for: PostgreSQL stops at the first deed after it, and has to meet one. */
const BEYOND_MS = 600_000;

/**
 * The files from the beginning of a base backup to a little after `at` (Unix ms), or all that follow each other when it is
 * undefined. @throws BackupError when one before it is missing, or the archive ends before `at`.
 */
export async function chainOf(store: Store, base: Manifest, at: number | undefined): Promise<Chain> {
  const { startLsn, endLsn, timeline, walSegmentBytes, id } = base;
  const all = await listWal(store);
  const numbers = Map.groupBy(
    all.filter((name) => SEGMENT.test(name)),
    (name) => numberOf(name, walSegmentBytes),
  );
  const [from, end] = [startLsn, endLsn].map((lsn) => segmentOf(lsn, walSegmentBytes)) as [number, number];
  const last = Math.max(end, ...numbers.keys());
  const names = all.filter((name) => name.endsWith('.history'));
  let until = 0;
  for (let number = from; number <= last; number += 1) {
    const isEnough = at !== undefined && number > end && until > at;
    if (isEnough && until > at + BEYOND_MS) break;
    const found = numbers.get(number);
    if (!found && isEnough) break;
    if (!found)
      throw new BackupError(
        `${nameOf(number, timeline, walSegmentBytes)} of the log is missing: nothing after it can be restored from the base backup ${id}`,
      );
    names.push(...found);
    for (const name of found) until = Math.max(until, (await headOf(walFile(store, name), walName(name))).at);
  }
  if (at !== undefined && until <= at)
    throw new BackupError(
      `the log was archived up to ${new Date(until).toISOString()} only: ask for a moment before it, or for the latest`,
    );
  return { names, until };
}

/** Opens the files of a chain into `folder`, under the names that PostgreSQL asks for. @throws BackupError on an altered one. */
export async function stageWal(store: Store, { names }: Chain, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of names)
    await readSealed(
      store,
      { file: walFile(store, name), name: walName(name) },
      createWriteStream(join(folder, name), { mode: 0o600 }),
    );
}

/** Deletes the files of the log that no kept base backup needs. @returns how many. */
export async function pruneWal(store: Store, oldest: Manifest): Promise<number> {
  const from = segmentOf(oldest.startLsn, oldest.walSegmentBytes);
  const gone = (await listWal(store)).filter(
    (name) => !name.endsWith('.history') && numberOf(name, oldest.walSegmentBytes) < from,
  );
  for (const name of gone) await rm(walFile(store, name));
  return gone.length;
}
