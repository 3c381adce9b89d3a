import type { TestContext } from 'vitest';

/** One thing that somebody tried: what must come of it, and what did. */
export interface Attempt {
  readonly attack: string;
  readonly expected: string;
  readonly seen: string;
}

/** Something to try. `run` tells what came of it, in the words of `expected` where it was as it must be. */
export interface Attack {
  readonly attack: string;
  readonly expected: string;
  readonly run: () => Promise<string>;
}

declare module 'vitest' {
  interface TaskMeta {
    /** For the table at the end of the run. */
    attempts?: { readonly area: string; readonly list: readonly Attempt[] };
  }
}

export const succeeded = ({ expected, seen }: Attempt): boolean => seen !== expected;

/** Tries one after another and keeps what came of them for the table. @returns those that succeeded. */
export async function tryAll(
  { task }: TestContext,
  area: string,
  attacks: readonly Attack[],
): Promise<readonly Attempt[]> {
  const list: Attempt[] = [];
  for (const { attack, expected, run } of attacks) list.push({ attack, expected, seen: await run() });
  task.meta.attempts = { area, list };
  return list.filter(succeeded);
}

/** Tells in one word what all of many tries came to; else the first that came to something else. */
export function inOneWord(tries: readonly (readonly [what: string, seen: string])[], word: string): string {
  if (tries.length === 0) return 'nothing was tried';
  const other = tries.find(([, seen]) => seen !== word);
  return other ? `${other[0]}: ${other[1]}` : word;
}
