import type { Pool } from 'pg';
import type { Rows } from './sample.ts';

/** How the reading table is kept. With migration 0010 this is the only place that knows the difference. */
export type StorageMode = 'timescale' | 'native';

/** Both layouts cut time into weeks from 1970-01-01 (a Thursday). */
const WEEK_MS = 7 * 86_400_000;

export interface ReadingStorage {
  readonly mode: StorageMode;
  /** Makes room for these rows. Call before the transaction that writes them: it takes locks of its own. */
  ensure(blocks: readonly Rows[]): Promise<void>;
  /** Forgets which partitions exist: after one was dropped by somebody else. */
  forget(): void;
}

/** Looks how the table was made and prepares this week and the next. */
export async function openStorage(pool: Pool, now: Date): Promise<ReadingStorage> {
  const mode = await storageMode(pool);
  const made = new Set<number>();

  async function ensureWeeks(weeks: Iterable<number>): Promise<void> {
    const missing = [...weeks].filter((week) => !made.has(week));
    if (mode === 'timescale' || missing.length === 0) return;
    await pool.query('select reading_ensure($1)', [
      missing.map((week) => new Date(week * WEEK_MS).toISOString()),
    ]);
    for (const week of missing) made.add(week);
  }

  const thisWeek = weekOf(now.getTime());
  await ensureWeeks([thisWeek, thisWeek + 1]);
  return {
    mode,
    ensure: (blocks) => ensureWeeks(weeksOf(blocks)),
    forget: () => made.clear(),
  };
}

const weekOf = (at: number): number => Math.floor(at / WEEK_MS);

function weeksOf(blocks: readonly Rows[]): Set<number> {
  const weeks = new Set<number>();
  for (const { at, length } of blocks) for (let i = 0; i < length; i += 1) weeks.add(weekOf(at[i]!));
  return weeks;
}

export async function storageMode(pool: Pool): Promise<StorageMode> {
  const { rows } = await pool.query<{ relkind: string }>(
    `select relkind from pg_class where oid = 'public.reading'::regclass`,
  );
  return rows[0]?.relkind === 'p' ? 'native' : 'timescale';
}

/**
 * Drops every partition or chunk that ends at or before `before`, whole; returns how many. `pool` is the owner's.
 * Rows of a week that is only partly older stay.
 */
export async function dropReadingsBefore(pool: Pool, before: Date): Promise<number> {
  if ((await storageMode(pool)) === 'timescale') {
    const { rowCount } = await pool.query(`select drop_chunks('reading', older_than => $1::timestamptz)`, [
      before,
    ]);
    return rowCount ?? 0;
  }
  const { rows } = await pool.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'public.reading'::regclass
       and to_timestamp(substring(c.relname from '\\d{8}$') || ' UTC', 'YYYYMMDD TZ') + interval '7 days' <= $1
     order by 1`,
    [before],
  );
  for (const { name } of rows) await pool.query(`drop table reading_store.${pgName(name)}`);
  return rows.length;
}

/** Partition names are made by reading_ensure; anything else in the catalogue is not ours to drop. @throws Error. */
function pgName(name: string): string {
  if (!/^reading_\d{8}$/.test(name)) throw new Error(`${name} is no partition of readings`);
  return name;
}
