import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { planImport, type Plan } from './diff.ts';
import { createUuidV7 } from './ids.ts';
import { type GivenFile, type ParseOptions, parsePoints } from './parse.ts';
import type { Fault } from './point.ts';
import { openPointStore, type PointStore } from './store.ts';
import { simplify } from './table.ts';
import { MAX_BYTES } from './text.ts';

/** Read at a time. */
const PART_BYTES = 1024 * 1024;

/** Where a gateway keeps its point list. */
export const storePath = (home: string): string => join(home, 'points.sqlite');

/** Opens a gateway's point list, or makes it. @throws StoreError */
export const openHomeStore = (home: string): PointStore =>
  openPointStore({
    path: storePath(home),
    busyMs: 10_000,
    now: Date.now,
    createId: () => createUuidV7(Date.now()),
  });

/** The answer of an import before anything is written. */
export interface Preview {
  readonly plan: Plan;
  readonly errors: readonly Fault[];
}

/** Parses a file and compares it with the list; without a list (undefined), with an empty one. */
export function preview(
  file: GivenFile,
  options: ParseOptions & { readonly source?: string | undefined },
  store: Pick<PointStore, 'pointsOf'> | undefined,
): Preview {
  const parsed = parsePoints(file, options);
  const source = options.source ?? parsed.source;
  const plan = planImport(parsed, store?.pointsOf(source) ?? new Map(), source);
  return { plan, errors: parsed.faults };
}

/** A file on the disk with its companions. @throws Error of the file system. */
export function openFile(path: string): GivenFile {
  const folder = dirname(path);
  const name = basename(path);
  const stem = name.replace(/\.[^.]*$/, '').replace(/[_ -]?ede$/i, '');
  return {
    name,
    bytes: readBytes(path),
    beside(ending) {
      const wanted = simplify(`${stem}${ending}`);
      const found = readdirSync(folder).find((other) => simplify(other.replace(/\.[^.]*$/, '')) === wanted);
      const other = found && join(folder, found);
      return other && existsSync(other) && statSync(other).size <= MAX_BYTES
        ? readFileSync(other)
        : undefined;
    },
  };
}

/** Standard input as a file. */
export const standardInput = (): GivenFile => ({
  name: '-',
  bytes: readBytes(0),
  beside: () => undefined,
});

/** All of a file, a pipe or a device, and never more than one byte too many: that is enough to be told that it is too large. */
function readBytes(from: string | number): Buffer {
  const file = typeof from === 'string' ? openSync(from, 'r') : from;
  const parts: Buffer[] = [];
  let left = MAX_BYTES + 1;
  try {
    while (left > 0) {
      const part = Buffer.allocUnsafe(Math.min(left, PART_BYTES));
      const count = readSync(file, part);
      if (count === 0) break;
      parts.push(part.subarray(0, count));
      left -= count;
    }
  } finally {
    if (file !== from) closeSync(file);
  }
  return Buffer.concat(parts);
}
