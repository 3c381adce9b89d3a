import { Command, CommanderError } from 'commander';
import type { Io } from './io.ts';
import manifest from '../../package.json' with { type: 'json' };

interface Noun {
  register(program: Command, io: Io): void;
}

/** Every noun of a gateway, loaded when it is asked for. */
export const nouns: Readonly<Record<string, () => Promise<Noun>>> = {
  alarms: () => import('./alarms.ts'),
  browse: () => import('./browse.ts'),
  config: () => import('./config.ts'),
  discover: () => import('./discover.ts'),
  doctor: () => import('./doctor.ts'),
  gateway: () => import('./gateway.ts'),
  points: () => import('./points.ts'),
  read: () => import('./read.ts'),
  release: () => import('./release.ts'),
  resync: () => import('./resync.ts'),
  template: () => import('./template.ts'),
  watch: () => import('./watch.ts'),
  write: () => import('./write.ts'),
  writing: () => import('./writing.ts'),
};

/** Runs one command line. @returns its exit code: 0 done or help, 2 wrong use, else 1. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const program = new Command('parkline')
    .description('Sets up and looks after a gateway.')
    .version(manifest.version)
    .showSuggestionAfterError()
    .showHelpAfterError('(parkline --help lists the commands)')
    .exitOverride();
  const asked = argv[0] ?? '';
  const wanted = Object.hasOwn(nouns, asked) ? [asked] : Object.keys(nouns);
  try {
    for (const noun of wanted) (await nouns[noun]!()).register(program, io);
    await program.parseAsync(argv, { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    io.err(`${error instanceof Error ? error.message : String(error)}\n`);
    return (error as { code?: unknown }).code === 'usage' ? 2 : 1;
  }
}
