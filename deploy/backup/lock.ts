import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupError } from './keys.ts';
import type { Store } from './store.ts';

/** `base`: one makes a base backup at a time. `read`: nothing is dropped while somebody restores or verifies. */
export type LockName = 'base' | 'read';

export interface Lock {
  /** Ends with the process as well, however that ends. */
  release(): Promise<void>;
}

const file = (store: Store, name: LockName): string => join(store.folder, `${name}.lock`);

/** flock(1) says with it that another process holds the lock; its own failures are 64 and above. */
const HELD = 1;

/** Who only looks whether a lock is held has it for a moment, and must stop nobody. */
const PATIENCE_S = 0.2;

/**
 * Takes a lock of a store, shared with others that share it, or alone. The kernel keeps it with the open file, so nothing is left of
 * one whose holder was killed. @returns undefined when somebody else has it. @throws BackupError where it cannot be told.
 *
 * Where no file of the lock is and none can be made, it is shared without: whoever may not write into a store drops nothing from it,
 * so a copy that is read-only can be restored and verified. Should its owner drop something elsewhere meanwhile, the reader is told
 * which file is missing.
 */
export async function takeLock(
  store: Store,
  name: LockName,
  how: 'shared' | 'alone',
): Promise<Lock | undefined> {
  const path = file(store, name);
  const handle = await (how === 'alone' ? openToWrite(path) : openToRead(path));
  if (handle === undefined) return { release: () => Promise.resolve() };
  try {
    if (await isLocked(handle, how)) return { release: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
const mayNotWrite: ReadonlySet<string | undefined> = new Set(['EROFS', 'EACCES', 'EPERM']);

/** Network file systems want it open for writing to lock it alone. */
const openToWrite = (path: string): Promise<FileHandle> =>
  open(path, constants.O_RDWR | constants.O_CREAT, 0o600);

/** Makes the file only where it is missing. @returns undefined where it is and cannot be made. */
async function openToRead(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  try {
    return await open(path, constants.O_RDONLY | constants.O_CREAT, 0o600);
  } catch (error) {
    if (!mayNotWrite.has(codeOf(error))) throw error;
    return undefined;
  }
}

/** Node has no flock(2). The lock belongs to the open file, which the program that takes it only borrows. */
function isLocked({ fd }: FileHandle, how: 'shared' | 'alone'): Promise<boolean> {
  const child = spawn(
    'flock',
    [
      `--wait=${PATIENCE_S}`,
      `--conflict-exit-code=${HELD}`,
      `--${how === 'shared' ? 'shared' : 'exclusive'}`,
      '3',
    ],
    { stdio: ['ignore', 'ignore', 'pipe', fd] },
  );
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new BackupError('flock cannot be run: install util-linux', { cause })),
    );
    child.once('close', (code) => {
      if (code === 0 || code === HELD) resolve(code === 0);
      else reject(new BackupError(`flock failed: ${said.trim()}`));
    });
  });
}

/** Runs `work` as the only one who makes a base backup here. @throws BackupError that names who does so already. */
export async function alone<T>(store: Store, work: () => Promise<T>): Promise<T> {
  const lock = await takeLock(store, 'base', 'alone');
  if (lock === undefined)
    throw new BackupError(
      `a base backup into ${store.folder} is under way (${await holder(store)}): nothing was begun, the other goes on`,
    );
  try {
    await writeFile(file(store, 'base'), `process ${process.pid} since ${new Date().toISOString()}\n`);
    return await work();
  } finally {
    await lock.release();
  }
}

/** Who makes a base backup here, in words; meaningful while the lock is held. */
export async function holder(store: Store): Promise<string> {
  const text = await readFile(file(store, 'base'), 'utf8').catch(() => '');
  return text.trim() || 'it began this moment';
}

/** Runs `work` while nothing is dropped from the store. @throws BackupError when something is being dropped. */
export async function reading<T>(store: Store, work: () => Promise<T>): Promise<T> {
  const lock = await takeLock(store, 'read', 'shared');
  if (lock === undefined)
    throw new BackupError(`what is too old is being dropped from ${store.folder}: ask again in a moment`);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
