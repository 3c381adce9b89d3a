import type { Found, Parsed, PointDraft } from './point.ts';

/** What an import would do with one row. */
export interface Change {
  readonly row: number;
  readonly point: PointDraft;
  readonly what: 'add' | 'change' | 'unchanged';
  /** Names of the fields that differ; empty unless it is a change. */
  readonly fields: readonly string[];
}

/** What an import does, row by row. */
export interface Plan {
  /** Scope of the keys. */
  readonly source: string;
  readonly changes: readonly Change[];
  readonly add: number;
  readonly change: number;
  readonly unchanged: number;
}

/** Compares the points of a file with those that are there. Points that the file does not name stay as they are. Pure. */
export function planImport(parsed: Parsed, existing: ReadonlyMap<string, PointDraft>, source: string): Plan {
  const count = { add: 0, change: 0, unchanged: 0 };
  const changes = parsed.found.map(({ row, point }: Found): Change => {
    const before = existing.get(point.key);
    const fields = before ? differences(before, point) : [];
    const what = !before ? 'add' : fields.length > 0 ? 'change' : 'unchanged';
    count[what] += 1;
    return { row, point, what, fields };
  });
  return { source, changes, ...count };
}

const differences = (before: PointDraft, after: PointDraft): string[] =>
  (Object.keys(after) as (keyof PointDraft)[]).filter(
    (field) => JSON.stringify(before[field] ?? null) !== JSON.stringify(after[field]),
  );
