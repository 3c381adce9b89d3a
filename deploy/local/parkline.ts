import { join } from 'node:path';
import { run, ToolError } from './machine.ts';
import { followFlags } from './node-service.ts';
import { StartError } from './options.ts';

/** Runs one command of the CLI `parkline` and returns what it printed. */
export type Parkline = (args: readonly string[]) => Promise<string>;

/** @throws StartError with the command's own words. */
export function createParkline(root: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Parkline {
  return async (args) => {
    try {
      const { stdout } = await run(
        process.execPath,
        [...followFlags, join(root, 'bin/parkline.js'), ...args],
        {
          cwd: root,
          env: { PATH: process.env['PATH'], ...env },
          timeoutMs: 15 * 60_000,
          signal,
        },
      );
      return stdout;
    } catch (cause) {
      if (!(cause instanceof ToolError)) throw cause;
      throw new StartError(`parkline ${args.slice(0, 2).join(' ')} failed: ${cause.said}`, { cause });
    }
  };
}
