import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { holder, takeLock } from './lock.ts';
import {
  headOf,
  listBases,
  listWal,
  readManifest,
  readSealedText,
  type Store,
  walFile,
  walName,
  writeSealed,
} from './store.ts';
import { isSegment } from './timelines.ts';

const NAME = 'failed';
const noteFile = (store: Store): string => join(store.folder, `${NAME}.zst.sealed`);

/** Runs `work`, which makes a base backup, and keeps why it failed until one succeeds. @throws whatever `work` throws. */
export async function noting<T>(store: Store, now: () => number, work: () => Promise<T>): Promise<T> {
  try {
    const made = await work();
    await rm(noteFile(store), { force: true });
    return made;
  } catch (error) {
    // On a full disk there is no room for it either: the exit code and the age of the newest one tell.
    await note(store, now(), (error as Error).message).catch(() => undefined);
    throw error;
  }
}

async function note(store: Store, at: number, why: string): Promise<void> {
  const draft = `${noteFile(store)}.part`;
  await rm(draft, { force: true });
  await writeSealed(Readable.from([Buffer.from(why)]), store, { file: draft, name: NAME, at });
  await rename(draft, noteFile(store));
}

/** From which age on something is late, ms. */
export interface Limits {
  readonly baseMs: number;
  readonly logMs: number;
}

export interface Status {
  /** One fact a line, for a person; what is wrong begins in capitals. */
  readonly lines: readonly string[];
  readonly isWell: boolean;
}

/** How the backups stand, by the store alone: the server need not be there. @throws BackupError when something in it is altered. */
export async function statusOf(store: Store, now: number, limits: Limits): Promise<Status> {
  const found = [
    await baseStatus(store, now, limits.baseMs),
    await logStatus(store, now, limits.logMs),
    await failureStatus(store),
    await runningStatus(store),
  ].flatMap((one) => (one === undefined ? [] : [one]));
  return {
    lines: found.map(({ wrong, text }) => (wrong === undefined ? text : `${wrong}: ${text}`)),
    isWell: found.every(({ wrong }) => wrong === undefined),
  };
}

interface Fact {
  readonly text: string;
  /** One word, when somebody has to act. */
  readonly wrong?: string;
}

async function baseStatus(store: Store, now: number, limitMs: number): Promise<Fact> {
  const id = (await listBases(store)).at(-1);
  if (id === undefined) return { wrong: 'MISSING', text: `${store.folder} holds no base backup` };
  const { endedAt } = await readManifest(store, id);
  const text = `the newest base backup is ${id}, ${age(now - endedAt)} old`;
  return now - endedAt > limitMs ? { wrong: 'LATE', text: `${text}, more than ${age(limitMs)}` } : { text };
}

async function logStatus(store: Store, now: number, limitMs: number): Promise<Fact> {
  const name = (await listWal(store)).findLast(isSegment);
  if (name === undefined) return { wrong: 'MISSING', text: 'nothing of the log is archived' };
  const { at } = await headOf(walFile(store, name), walName(name));
  const text = `the log is archived up to ${new Date(at).toISOString()}, ${age(now - at)} ago`;
  return now - at > limitMs ? { wrong: 'LATE', text: `${text}, more than ${age(limitMs)}` } : { text };
}

async function failureStatus(store: Store): Promise<Fact | undefined> {
  const sealed = { file: noteFile(store), name: NAME };
  const head = await headOf(sealed.file, sealed.name).catch(() => undefined);
  if (head === undefined) return undefined;
  const why = await readSealedText(store, sealed);
  return { wrong: 'FAILED', text: `the base backup of ${new Date(head.at).toISOString()}: ${why}` };
}

/** One that is being made, or one whose process ended before it could say anything. */
async function runningStatus(store: Store): Promise<Fact | undefined> {
  const lock = await takeLock(store, 'base', 'shared');
  if (lock === undefined) return { text: `a base backup is being made by ${await holder(store)}` };
  try {
    const cut = (await readdir(join(store.folder, 'base'))).find((name) => name.endsWith('.part'));
    return cut === undefined
      ? undefined
      : {
          wrong: 'CUT SHORT',
          text: `the base backup ${cut.replace('.part', '')} was stopped before its end`,
        };
  } finally {
    await lock.release();
  }
}

/** In the largest unit that leaves a number above one. */
function age(ms: number): string {
  const units = [
    ['days', 86_400_000],
    ['hours', 3_600_000],
    ['minutes', 60_000],
  ] as const;
  const [unit, size] = units.find(([, one]) => ms >= 2 * one) ?? ['seconds', 1000];
  return `${Math.round(ms / size)} ${unit}`;
}
