import type { Command } from 'commander';
import { createCaller } from './api-call.ts';
import type { Io } from './io.ts';
import { type KeptSession, keepSession, OpenFileError, readKeptSession } from './kept-session.ts';
import { readPassword } from './prompt.ts';
import { loginOptions, openSession, whoAndWhere } from './session.ts';

interface Options {
  readonly url?: string;
  readonly login?: string;
  readonly codeFile?: string;
}

/** `parkline login`: one session for the commands after it, so that a second factor is not asked for at each. */
export function register(program: Command, io: Io): void {
  loginOptions(
    program
      .command('login')
      .description('log in once for the commands after this one; parkline logout ends it')
      .option('--url <url>', 'address of the park; PARKLINE_URL, else the park that runs here'),
  ).action((options: Options) => login(io, options));
}

async function login(io: Io, options: Options): Promise<void> {
  const { url, login: who, ...known } = whoAndWhere(io, { ...options, role: 'account_admin' });
  const password = known.password ?? (await readPassword(io, who));
  const before = earlier(io);
  const { cookies } = await openSession(io, options, { url, login: who, password });
  const file = keepSession(io, { url, login: who, cookies: cookies() });
  if (before) await end(io, before);
  io.err(
    `${who} is logged in at ${url}; ${file} keeps the session until parkline logout, or some idle time\n`,
  );
}

/** Whatever is in a file that is open to others is ended, too, and by this very command. */
function earlier(io: Io): KeptSession | undefined {
  try {
    return readKeptSession(io, { evenOpen: true });
  } catch (error) {
    if (error instanceof OpenFileError) return undefined; // Somebody else's: theirs to end.
    throw error;
  }
}

/** Nobody uses it any more; it ends by itself, too. */
const end = (io: Io, { url, cookies }: KeptSession): Promise<unknown> =>
  createCaller(io, url, cookies)
    .ask('logout')
    .catch(() => undefined);
