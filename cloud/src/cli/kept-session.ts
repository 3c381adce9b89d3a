import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { Io } from './io.ts';

const Kept = Type.Object({
  /** Of the server, without a slash at its end. */
  url: Type.String({ pattern: '^https?://' }),
  login: Type.String({ minLength: 1 }),
  cookies: Type.Record(Type.String(), Type.String()),
});

/** The session that `parkline login` left for the commands after it. */
export type KeptSession = Readonly<Static<typeof Kept>>;

/** The file of a person's session is open to others: whoever read it could act as that person. */
export class OpenFileError extends Error {
  constructor(file: string, how: string) {
    super(
      `${file} ${how}, so it is not used: parkline logout ends the session in it, parkline login makes another`,
    );
    this.name = 'OpenFileError';
  }
}

/** `$XDG_CONFIG_HOME/parkline/session.json`, else under `~/.config`. */
export const keptSessionFile = ({ env }: Io): string =>
  join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'), 'parkline', 'session.json');

/**
 * What was kept; undefined: nothing, or nothing that can be read. `evenOpen`: also from a file that others may read, to end it.
 * @throws OpenFileError when others may read the file or it is not one's own.
 */
export function readKeptSession(io: Io, { evenOpen = false } = {}): KeptSession | undefined {
  const file = keptSessionFile(io);
  const text = readOwn(file, evenOpen);
  if (text === undefined) return undefined;
  try {
    const kept: unknown = JSON.parse(text);
    return Value.Check(Kept, kept) ? kept : undefined;
  } catch {
    return undefined;
  }
}

function readOwn(file: string, evenOpen: boolean): string | undefined {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
  try {
    const { uid, mode } = fstatSync(fd);
    if (process.getuid && uid !== process.getuid()) throw new OpenFileError(file, 'belongs to somebody else');
    if (!evenOpen && (mode & 0o077) !== 0)
      throw new OpenFileError(file, `is open to others (mode ${(mode & 0o777).toString(8)})`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** In one step, so that another command reads the old or the new one; never open to others, not for a moment. @returns the file. */
export function keepSession(io: Io, kept: KeptSession): string {
  const file = keptSessionFile(io);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, `${JSON.stringify(kept)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(draft, file);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new Error(`cannot keep the session in ${file}: ${(cause as Error).message}`, { cause });
  }
  return file;
}

export const forgetSession = (io: Io): void => rmSync(keptSessionFile(io), { force: true });
