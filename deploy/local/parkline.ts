import { join } from 'node:path';
import type { Context } from './context.ts';
import { run, ToolError } from './machine.ts';
import { compileCache, followFlags } from './node-service.ts';
import { StartError } from './options.ts';

/** Runs one command of the CLI `parkline` and returns what it printed. */
export type Parkline = (args: readonly string[]) => Promise<string>;

/** @throws StartError with the command's own words. */
export function createParkline({ root, cache, signal }: Context, env: NodeJS.ProcessEnv): Parkline {
  const shared = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compileCache(cache) };
  return async (args) => {
    const command = [...followFlags, join(root, 'bin/parkline.js'), ...args];
    try {
      const options = { cwd: root, env: { ...shared, ...env }, timeoutMs: 15 * 60_000, signal };
      return (await run(process.execPath, command, options)).stdout;
    } catch (cause) {
      if (!(cause instanceof ToolError)) throw cause;
      throw new StartError(`parkline ${args.slice(0, 2).join(' ')} failed: ${cause.said}`, { cause });
    }
  };
}
