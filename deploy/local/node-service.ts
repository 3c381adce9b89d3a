import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from './command.ts';
import type { Context } from './context.ts';
import type { Running, Service, Stage } from './supervisor.ts';

/** A process of ours: Node code that says when it is ready and follows its starter. */
export interface NodeProcess {
  readonly name: string;
  readonly stage: Stage;
  /** Entry file, relative to the repository. */
  readonly entry: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly stopWithinMs: number;
}

/** Flags that make a Node process end with its starter. Its standard input must be a pipe from there. */
export const followFlags = ['--import', pathToFileURL(join(import.meta.dirname, 'follow-parent.mjs')).href];

/** Node keeps what it compiled here: later starts of the same code take half the time. */
export const compileCache = (cache: string): string => join(cache, 'node');

/** Variables of the machine that our processes may see; everything else is given by name. */
const passed = ['PATH', 'HOME', 'TZ', 'LANG', 'TMPDIR', 'LOG_LEVEL', 'NODE_EXTRA_CA_CERTS'];

export function nodeService(context: Context, process: NodeProcess): Service {
  return {
    name: process.name,
    stage: process.stage,
    command: nodeCommand(context, process),
    ready: saysReady,
    readyWithinMs: 60_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: process.stopWithinMs,
  };
}

function nodeCommand(
  { root, cache, env }: Context,
  { entry, args = [], env: own = {} }: NodeProcess,
): Command {
  const shared = Object.fromEntries(
    passed.flatMap((key) => (env[key] === undefined ? [] : [[key, env[key]]])),
  );
  return {
    file: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', ...followFlags, join(root, entry), ...args],
    env: { ...shared, NODE_COMPILE_CACHE: compileCache(cache), ...own },
    cwd: root,
  };
}

/** Our processes log JSON lines; the one with the message "ready" counts. */
const saysReady = (running: Running): Promise<void> =>
  new Promise((resolve) => {
    running.onLine((line) => {
      if (/"msg":\s*"ready"/.test(line)) resolve();
    });
  });
