import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Language } from '@parkline/contract';
import { whyUnread } from '@parkline/contract/unread';

/** What a command may touch of the world besides its files. `out` is for data, `err` for messages; neither adds a line end. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** What the terminal reads, by the locale that it says (POSIX.1-2024, XBD clause 8.2). */
export const terminalLanguage = ({ env }: Pick<Io, 'env'>): Language =>
  /^zh/i.test(env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || '') ? 'zh-CN' : 'en';

/** Nobody told the command where the park runs, or what was told is of no use. */
export class NoServiceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NoServiceError';
  }
}

/** The owner's database: DATABASE_URL, else what a running `npm start` noted. @throws NoServiceError saying how to name it. */
export const databaseUrl = (io: Io): string => service(io, 'DATABASE_URL', 'database');

/** The message broker as gateways reach it; without a word about it, the one that `npm start` would run on this machine. */
export function natsUrl(io: Io): string {
  try {
    return service(io, 'NATS_URL', 'nats');
  } catch (error) {
    if (!(error instanceof NoServiceError)) throw error;
    return 'nats://127.0.0.1:4222'; // A gateway may be configured before its park runs; its own NATS_URL overrides this.
  }
}

/** The account that a command means when none is named: that of the running park, whose database it then talks to. */
export function usualAccount(io: Io): string | undefined {
  if (io.env['DATABASE_URL'] || !existsSync(runFile(io))) return undefined;
  const { account } = readRunFile(io);
  return typeof account === 'string' ? account : undefined;
}

/** The park that runs here, with the logins it made for itself; undefined: none runs. */
export function runUsers(
  io: Io,
): { url: string; users: { role: string; login: string; password: string }[] } | undefined {
  if (!existsSync(runFile(io))) return undefined;
  const { url, users } = readRunFile(io);
  return typeof url === 'string' && Array.isArray(users) ? { url, users } : undefined;
}

/** File of the keys that seal what is secret in the database: SECRETS_KEY_FILE, else the one that `npm start` keeps. */
export const secretsKeyFile = ({ env, cwd }: Io): string =>
  env['SECRETS_KEY_FILE'] ?? join(env['PARKLINE_HOME'] ?? resolve(cwd, '.parkline'), 'secrets/sealing.keys');

const runFile = ({ env, cwd }: Io): string =>
  join(env['PARKLINE_HOME'] ?? resolve(cwd, '.parkline'), 'run.json');
const readRunFile = (io: Io) => JSON.parse(readFileSync(runFile(io), 'utf8')) as Record<string, unknown>;

function service(io: Io, variable: string, field: 'database' | 'nats'): string {
  const named = io.env[variable];
  if (named) return named;
  const file = runFile(io);
  let found: unknown;
  try {
    found = readRunFile(io)[field];
  } catch (cause) {
    throw new NoServiceError(`${nobodyHere(io)}, or set ${variable}`, { cause });
  }
  // run.json may hold the address itself or an object that names it.
  const url = typeof found === 'object' && found !== null ? (found as { url?: unknown }).url : found;
  if (typeof url !== 'string') throw new NoServiceError(`${file} names no ${field}: set ${variable}`);
  return url;
}

/** Where a running park was looked for, and how another is named. */
export const nobodyHere = (io: Io): string =>
  `no park runs here (${runFile(io)}): start one with npm start, name the folder of one that runs in PARKLINE_HOME`;

/** Reads a file named on the command line, - for standard input. @throws Error in words, naming the file. */
export function readBytes(io: Pick<Io, 'cwd'>, path: string): Buffer<ArrayBuffer> {
  try {
    return readFileSync(path === '-' ? 0 : resolve(io.cwd, path));
  } catch (cause) {
    throw new Error(whyUnread(path, cause), { cause });
  }
}

/** The text of such a file, UTF-8. @throws Error in words, naming the file. */
export const readArgument = (io: Pick<Io, 'cwd'>, path: string): string =>
  readBytes(io, path).toString('utf8');

/** For a file that is read later, piece by piece. @throws Error in words, naming the file. */
export function assertReadable({ cwd }: Pick<Io, 'cwd'>, path: string): void {
  try {
    closeSync(openSync(resolve(cwd, path), 'r'));
  } catch (cause) {
    throw new Error(whyUnread(path, cause), { cause });
  }
}
