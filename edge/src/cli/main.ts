import type { Command } from 'commander';
import { createProgram, exitCodeOf, pointToHelp } from './frame.ts';
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
  const program = createProgram('Sets up and looks after a gateway.', manifest.version);
  const asked = argv[0] ?? '';
  const wanted = Object.hasOwn(nouns, asked) ? [asked] : Object.keys(nouns);
  try {
    for (const noun of wanted) (await nouns[noun]!()).register(program, io);
    pointToHelp(program);
    await program.parseAsync(argv, { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    return exitCodeOf(error, io.err);
  }
}
