import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Where the environment is silent, downloads of this machine's user are kept here. As root the folder must be open to other users. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  if (env['PARKLINE_CACHE']) return env['PARKLINE_CACHE'];
  if (isRoot()) return '/var/cache/parkline';
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'parkline');
}

export const isRoot = (): boolean => process.getuid?.() === 0;

/** uid and gid of "nobody": PostgreSQL refuses root, and initdb wants a user that the system knows. */
export const nobody = { uid: 65_534, gid: 65_534 } as const;

/** Throw-away folders go here: a parent that "nobody" can pass, even when TMPDIR is root's own. */
export const scratchFolder = (): string => (isRoot() ? '/tmp' : tmpdir());

/** A TCP port that is free on loopback now. The gap until the caller binds it is a known, small race. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address && typeof address === 'object') resolve(address.port);
        else reject(new Error('the system gave no port'));
      });
    });
  });
}

/** What a program printed. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  readonly timeoutMs?: number;
  /** Ends the program when it aborts. */
  readonly signal?: AbortSignal;
}

/** Runs a program to its end. @throws ToolError with the program's own words when it fails. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  const { timeoutMs = 300_000, ...rest } = options;
  try {
    return await execute(file, [...args], { ...rest, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 });
  } catch (cause) {
    throw new ToolError(file, cause);
  }
}

/** A program failed. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  /** The last lines it printed. */
  readonly said: string;

  constructor(file: string, cause: unknown) {
    const output = cause as Partial<Output> & { message?: string };
    const words = [output.stderr, output.stdout, output.message].find((text) => text?.trim()) ?? 'no message';
    const said = words.trim().split('\n').slice(-6).join('\n');
    super(`${file}: ${said}`, { cause });
    this.said = said;
  }
}
