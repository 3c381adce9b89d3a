import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a process started from here is for: to run, or only to fill the cache. Not set: it was started by somebody else. */
const ROLE = 'PARKLINE_LEAN';
/** Filling the cache takes a second; a box that needs longer starts without it, ms. */
const WARM_LIMIT_MS = 60_000;
/** MiB. A gateway allocates little and evenly: more room for young objects only costs memory. */
const YOUNG_HEAP_MB = 1;
/**
 * Memory goes back to the system when it is free, and collections come before the heap grows: without these, a gateway keeps
 * for ever what it needed once to read its configuration.
 */
const SMALL = {
  flags: [`--max-semi-space-size=${YOUNG_HEAP_MB}`, '--v8-pool-size=1', '--optimize-for-size'],
  /** Of glibc (mallopt(3)); other libraries do not look at them. Bytes for the thresholds. */
  env: { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '131072' },
} as const;

export interface LeanStart {
  readonly program: string;
  /** Where compiled code may be kept, best first: only folders that nobody else may write to. */
  readonly caches: readonly string[];
  /** Changes with the program. */
  readonly version: string;
}

/**
 * Starts the program again in this very process (same pid, same files) with the settings that keep it small, which only a new
 * process can have: compiled code from a cache, so that the TypeScript compiler is never loaded, and few threads and memory
 * arenas. Returns where that cannot be done: then it runs as it is, and takes more memory.
 * @returns 'warm-up' when this process is only to load all code and end, so that the cache is filled.
 */
export function startLean({ program, caches, version }: LeanStart): 'run' | 'warm-up' {
  const role = process.env[ROLE];
  // Absent on Windows.
  const replace = process.execve as typeof process.execve | undefined;
  if (role !== undefined) return role === 'warm-up' ? role : 'run';
  const cache = replace && !process.env['NODE_COMPILE_CACHE'] ? caches.find(isWritable) : undefined;
  if (cache === undefined) return 'run';
  const env = { ...process.env, ...SMALL.env, NODE_COMPILE_CACHE: cache };
  const argv = [...process.execArgv, ...SMALL.flags, program, ...process.argv.slice(2)];
  // Code compiled under other flags is no use.
  const warm = join(cache, ['warm', version, process.version, ...SMALL.flags].join('-'));
  if (!existsSync(warm)) {
    const options = { env: { ...env, [ROLE]: 'warm-up' }, stdio: 'ignore', timeout: WARM_LIMIT_MS } as const;
    if (spawnSync(process.execPath, argv, options).status !== 0) return 'run'; // What is wrong shows there.
    writeFileSync(warm, '');
  }
  process.removeAllListeners('warning'); // That `execve` is experimental is no news to whoever reads the log.
  replace?.call(process, process.execPath, [process.execPath, ...argv], { ...env, [ROLE]: 'run' });
  return 'run';
}

function isWritable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, '.writable'), '');
    return true;
  } catch {
    return false; // A read-only installation: the next place may do.
  }
}
