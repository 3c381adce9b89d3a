import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { whyUnread } from '@parkline/contract/unread';

/** What a command may touch of the world besides its files. `out` is for data, `err` for messages; neither adds a line end. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** How a command ended: 0 done, 1 failed, 2 wrong use (commander says it), 3 done in part. */
export const exit = { failed: 1, usage: 2, partial: 3 } as const;

/** The command line itself is wrong: exit code 2, as for an unknown option. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}

/**
 * A parser of a number for commander. The bounds are inclusive; with `whole` no fraction.
 * @returns a function that throws UsageError naming the option and what it takes.
 */
export const number =
  (option: string, least: number, most: number, whole = false) =>
  (text: string): number => {
    const value = Number(text);
    const isFine =
      text.trim() !== '' && value >= least && value <= most && (!whole || Number.isInteger(value));
    if (isFine) return value;
    const range = Math.abs(least) < Number.MAX_VALUE ? ` from ${least} to ${most}` : '';
    throw new UsageError(`${option} ${text}: write a ${whole ? 'whole ' : ''}number${range}`);
  };

/**
 * The gateway's home: --home, else PARKLINE_GATEWAY_HOME, else the folder itself when it holds a gateway.yaml.
 * @throws UsageError saying how to name it.
 */
export function gatewayHome({ env, cwd }: Pick<Io, 'env' | 'cwd'>, named: string | undefined): string {
  const home = named ?? env['PARKLINE_GATEWAY_HOME'];
  if (home) return existing(resolve(cwd, home));
  if (existsSync(join(cwd, 'gateway.yaml'))) return cwd;
  throw new UsageError('which gateway? Name its home with --home DIR, or set PARKLINE_GATEWAY_HOME');
}

function existing(home: string): string {
  if (existsSync(home)) return home;
  throw new UsageError(`${home}: there is no such folder; name the home of the gateway`);
}

/** Reads a file named on the command line, - for standard input. @throws Error in words, naming the file. */
export function readArgument({ cwd }: Pick<Io, 'cwd'>, path: string): Buffer {
  try {
    return readFileSync(path === '-' ? 0 : resolve(cwd, path));
  } catch (cause) {
    throw new Error(whyUnread(path, cause), { cause });
  }
}

/** A table for people: columns as wide as their widest cell, Chinese counted double. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => width(row[column] ?? ''))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell + ' '.repeat(widths[column]! - width(cell)))
      .join('  ')
      .trimEnd();
  return `${[head, ...rows].map(line).join('\n')}\n`;
}

/** Columns that a text takes on a terminal: East Asian wide characters take two. */
const width = (text: string): number =>
  [...text].reduce(
    (sum, char) =>
      sum +
      (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(
        char,
      )
        ? 2
        : 1),
    0,
  );
