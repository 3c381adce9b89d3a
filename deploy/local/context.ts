import type { Home } from './home.ts';
import type { StartOptions } from './options.ts';
import type { Steps } from './steps.ts';
import type { Supervisor } from './supervisor.ts';

/** What every part of a start works with. */
export interface Context {
  /** Root of the repository. */
  readonly root: string;
  readonly options: StartOptions;
  readonly home: Home;
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly steps: Steps;
  readonly supervisor: Supervisor;
  /** Aborts when the start is given up. */
  readonly signal: AbortSignal;
}
