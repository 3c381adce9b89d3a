import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
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
import {
  parseSegment,
  type Segment,
  segmentName,
  segmentOf,
  type Stretch,
  type Way,
  wayAt,
  waysFrom,
} from './timelines.ts';

/** Names that PostgreSQL gives to what it archives: segments, histories of timelines, notes of backups, last parts of a timeline. */
const SEGMENT_CHARS = 24;
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

/** What of the log a restore needs. */
export interface Chain {
  /** Names of files: the segments of the way, and every history, so that a restored server begins a timeline of its own. */
  readonly names: readonly string[];
  /** When the last of them was written, Unix ms. */
  readonly until: number;
  /** The timeline that it ends on. */
  readonly timeline: number;
}

/** Restores take this much of the log beyond the moment asked for: PostgreSQL stops at the first deed after it, and has to meet one. */
const BEYOND_MS = 600_000;

/**
 * The files from the beginning of a base backup to a little after `at` (Unix ms) on the timeline that the park was on then, or
 * all that follow each other on the newest when it is undefined. @throws BackupError as `chainAlong`.
 */
export const chainOf = async (store: Store, base: Manifest, at: number | undefined): Promise<Chain> =>
  chainAlong(store, base, wayAt(await waysFrom(store, base), at), at);

/** As `chainOf`, on one way. @throws BackupError when a file before `at` is missing, or the archive ends before it. */
export async function chainAlong(
  store: Store,
  base: Manifest,
  way: Way,
  at: number | undefined,
): Promise<Chain> {
  const { walSegmentBytes, id } = base;
  const all = await listWal(store);
  const held = segmentsOn(way, all, walSegmentBytes);
  const end = segmentOf(base.endLsn, walSegmentBytes);
  const last = [...held.keys()].reduce((high, number) => Math.max(high, number), end);
  const names = all.filter((name) => name.endsWith('.history'));
  let until = base.endedAt;
  for (let { from: number } = way.stretches[0]!; number <= last; number += 1) {
    const isEnough = at !== undefined && number > end && until > at;
    if (isEnough && until > at + BEYOND_MS) break;
    const found = held.get(number);
    if (!found && isEnough) break;
    const { timeline } = ownerOf(way, number);
    if (!found)
      throw new BackupError(
        `${segmentName({ timeline, number }, walSegmentBytes)} of the log is missing: nothing after it can be restored from the base backup ${id}`,
      );
    names.push(found.name);
    // What a timeline wrote behind the place where it was left is not replayed.
    if (found.timeline === timeline)
      until = Math.max(until, (await headOf(walFile(store, found.name), walName(found.name))).at);
  }
  if (at !== undefined && until <= at)
    throw new BackupError(
      `the log was archived up to ${new Date(until).toISOString()} only: ask for a moment before it, or for the latest`,
    );
  return { names, until, timeline: way.timeline };
}

/** The newest timeline of a way that has a segment of this number. */
const ownerOf = ({ stretches }: Way, number: number): Stretch =>
  stretches.findLast(({ from }) => from <= number) ?? stretches[0]!;

/**
 * The archived segments of a way by number. Of the one in which a timeline is left the next one's is taken, which begins with the
 * same bytes; its own where that is not archived yet.
 */
function segmentsOn(way: Way, names: readonly string[], segmentBytes: number): Map<number, Segment> {
  const held = new Map<number, Segment>();
  for (const name of names) {
    const segment = parseSegment(name, segmentBytes);
    if (!segment) continue;
    const { timeline, number } = segment;
    const isOn = way.stretches.some(
      (one) => one.timeline === timeline && one.from <= number && number <= one.to,
    );
    if (isOn && (held.get(number)?.timeline ?? 0) < timeline) held.set(number, segment);
  }
  return held;
}

/** Opens the files of a chain into `folder`, under the names that PostgreSQL asks for. @throws BackupError on an altered one. */
export async function stageWal(store: Store, { names }: Chain, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of names) {
    const handle = await open(join(folder, name), 'wx', 0o600);
    try {
      await readSealed(store, { file: walFile(store, name), name: walName(name) }, sparse(handle));
    } finally {
      await handle.close();
    }
  }
}

const ZEROS = Buffer.alloc(65_536);

/** Leaves holes for what is zero. A segment that `archive_timeout` closed is mostly that, and a quiet day has 46 GB of them. */
function sparse(handle: FileHandle): Writable {
  let at = 0;
  const write = async (bytes: Buffer): Promise<void> => {
    for (let done = 0; done < bytes.length;)
      done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  };
  return new Writable({
    write(bytes: Buffer, _encoding, done) {
      const isZero = bytes.length <= ZEROS.length && bytes.equals(ZEROS.subarray(0, bytes.length));
      const written = isZero ? Promise.resolve() : write(bytes);
      void written.then(() => {
        at += bytes.length;
        done();
      }, done);
    },
    final: (done) => void handle.truncate(at).then(() => done(), done),
  });
}

/**
 * Deletes the files of the log that none of the kept base backups needs: those before the first, and those of timelines that were
 * left before it. @returns how many.
 */
export async function pruneWal(store: Store, kept: readonly Manifest[]): Promise<number> {
  const bytes = kept[0]?.walSegmentBytes ?? 0;
  const from = Math.min(...kept.map(({ startLsn }) => segmentOf(startLsn, bytes)));
  const oldest = Math.min(...kept.map(({ timeline }) => timeline));
  const gone = (await listWal(store)).filter((name) => {
    const segment = parseSegment(name.slice(0, SEGMENT_CHARS), bytes); // A note or a part belongs to its segment.
    return segment !== undefined && (segment.number < from || segment.timeline < oldest);
  });
  for (const name of gone) await rm(walFile(store, name));
  return gone.length;
}
