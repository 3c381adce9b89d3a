import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';

/** Something of a backup cannot be made, opened or used; the message is for the operator and says what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

/** A key that seals backups; its id is written into what it seals. */
export interface BackupKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

const LINE = /^([a-z0-9-]{1,32}) ([A-Za-z0-9+/]{43}=)$/;

/**
 * The keys of a file, one `<id> <base64 of 32 bytes>` a line: the first seals, all of them open. # begins a comment.
 * @throws BackupError when it cannot be read, is open to other users, or holds no key.
 */
export async function readKeys(file: string): Promise<readonly BackupKey[]> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile())
    throw new BackupError(`there is no key file ${file}: make one with keygen, or name yours`);
  if ((found.mode & 0o077) !== 0)
    throw new BackupError(`${file} may be read by other users: chmod 600 ${file}`);
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.trim());
  const keys = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, id, key] = LINE.exec(line) ?? [];
      if (id === undefined || key === undefined)
        throw new BackupError(`${file} has a line that is no key: each is <id> <base64 of 32 bytes>`);
      return { id, key: Buffer.from(key, 'base64') };
    });
  if (keys.length === 0) throw new BackupError(`${file} holds no key: make one with keygen`);
  return keys;
}

/** Makes a key file that does not exist yet, for its owner's eyes only. @returns the id of the key. */
export async function makeKeyFile(file: string): Promise<string> {
  const key = randomBytes(32);
  const id = `backup-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
  try {
    await writeFile(file, `${id} ${key.toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new BackupError(
      `${file} is there already: a key that is lost opens no backup, so none is replaced`,
    );
  }
  return id;
}
