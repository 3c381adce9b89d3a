import type { Command } from 'commander';
import { ApiRefusal, createCaller } from './api-call.ts';
import type { Io } from './io.ts';
import { forgetSession, readKeptSession } from './kept-session.ts';

/** `parkline logout`: ends the session on the server and forgets it here. */
export function register(program: Command, io: Io): void {
  program
    .command('logout')
    .description('end the session that parkline login keeps, on the server and here')
    .action(() => logout(io));
}

/** @throws Error when the server does not answer: the session is forgotten here, and ends there by itself. */
async function logout(io: Io): Promise<void> {
  const kept = readKeptSession(io, { evenOpen: true });
  forgetSession(io);
  if (!kept) return io.err('nobody is logged in\n');
  const { url, login, cookies } = kept;
  await createCaller(io, url, cookies)
    .ask('logout')
    .catch((cause: unknown) => {
      if (cause instanceof ApiRefusal && cause.code === 'not_logged_in') return; // It was over already.
      throw new Error(
        `forgotten here, but not ended at ${url}, where it ends by itself: ${(cause as Error).message}`,
        { cause },
      );
    });
  io.err(`${login} is logged out of ${url}\n`);
}
