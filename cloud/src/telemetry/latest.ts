import type { LiveUpdate } from '@parkline/contract';
import type { ClientBase, Pool } from 'pg';
import type { KnownTable } from './decode.ts';
import { engineering, type Rows } from './sample.ts';

/** A clock that runs ahead must not freeze the latest value in the future. */
const AHEAD_MS = 60_000;

export type LiveSample = LiveUpdate['samples'][number];

interface Value {
  readonly at: number;
  readonly value: number | null;
  readonly quality: number;
  readonly flags: number;
}

export interface Latest {
  /** Takes note of committed rows of one table. @returns the points that moved forward, in engineering units, the newest of each. */
  offer(blocks: readonly Rows[], table: KnownTable, now: number): LiveSample[];
  /** Writes what moved since the last flush. What fails stays for the next one. @throws the database's error. */
  flush(): Promise<void>;
}

/**
 * Latest values in memory, written together: an upsert per message would double the cost of ingest. What a crash leaves
 * unwritten is found again by `catchUpLatest`.
 */
export function createLatest(pool: Pool): Latest {
  const newest = createTimes();
  let unwritten = new Map<number, Value>();

  return {
    offer(blocks, table, now) {
      const moved = new Map<number, Value>();
      // Newest block first: nearly every row of the others is then dismissed by one comparison.
      for (const rows of blocks.toReversed())
        for (let i = rows.length - 1; i >= 0; i -= 1) {
          const num = rows.num[i]!;
          const at = rows.at[i]!;
          if (at <= newest.get(num) || at > now + AHEAD_MS) continue;
          newest.set(num, at);
          moved.set(num, valueAt(rows, i));
        }
      for (const [num, value] of moved) unwritten.set(num, value);
      return toLive(moved, table);
    },

    async flush() {
      const values = unwritten;
      if (values.size === 0) return;
      unwritten = new Map();
      try {
        await upsert(pool, values);
      } catch (error) {
        unwritten = new Map([...values, ...unwritten]);
        throw error;
      }
    },
  };
}

/** Time of the newest reading by point.num; numbers are dense, so an array is several times faster than a map. */
function createTimes() {
  let times = new Float64Array(1_024).fill(-Infinity);
  return {
    get: (num: number): number => times[num] ?? -Infinity,
    set(num: number, at: number): void {
      if (num >= times.length) {
        const wider = new Float64Array(2 * num).fill(-Infinity);
        wider.set(times);
        times = wider;
      }
      times[num] = at;
    },
  };
}

const valueAt = (rows: Rows, i: number): Value => ({
  at: rows.at[i]!,
  value: Number.isNaN(rows.value[i]) ? null : rows.value[i]!,
  quality: rows.quality[i]!,
  flags: rows.flags[i]!,
});

function toLive(moved: ReadonlyMap<number, Value>, table: KnownTable): LiveSample[] {
  if (moved.size === 0) return [];
  return table.points.flatMap(({ id, resolution }, p) => {
    const found = moved.get(table.nums[p]!);
    return found
      ? [{ pointId: id, at: found.at, value: engineering(found.value, resolution), q: found.quality }]
      : [];
  });
}

async function upsert(pool: Pool, values: ReadonlyMap<number, Value>): Promise<void> {
  // In one order, so that two processes writing the same points cannot lock each other out.
  const sorted = [...values].sort(([a], [b]) => a - b);
  await pool.query(
    `insert into point_latest as l (point_num, account_id, ts, value, quality, flags)
     select x.num, p.account_id, '1970-01-01Z'::timestamptz + x.ms * interval '1 millisecond', x.value, x.quality, x.flags
     from unnest($1::int4[], $2::float8[], $3::float8[], $4::int2[], $5::int2[]) x (num, ms, value, quality, flags)
     join point p on p.num = x.num
     order by x.num
     on conflict (point_num) do update
       set ts = excluded.ts, value = excluded.value, quality = excluded.quality, flags = excluded.flags
       where excluded.ts > l.ts`,
    [
      sorted.map(([num]) => num),
      sorted.map(([, { at }]) => at),
      sorted.map(([, { value }]) => value),
      sorted.map(([, { quality }]) => quality),
      sorted.map(([, { flags }]) => flags),
    ],
  );
}

/** Brings point_latest up to the readings: after a restart, whose last second was only in memory. */
export async function catchUpLatest(
  db: Pick<Pool, 'query'> | ClientBase,
  now: Date,
  points?: readonly number[],
): Promise<void> {
  await db.query(
    `insert into point_latest as l (point_num, account_id, ts, value, quality, flags)
     select p.num, p.account_id, r.ts, r.value, r.quality, r.flags
     from point p left join point_latest k on k.point_num = p.num
     cross join lateral (
       select r.ts, r.value, r.quality, r.flags from reading r
       where r.point_num = p.num and r.ts > coalesce(k.ts, '-infinity') and r.ts <= $1
       order by r.ts desc limit 1
     ) r
     where $2::int4[] is null or p.num = any($2)
     order by p.num
     on conflict (point_num) do update
       set ts = excluded.ts, value = excluded.value, quality = excluded.quality, flags = excluded.flags
       where excluded.ts > l.ts`,
    [new Date(now.getTime() + AHEAD_MS), points ?? null],
  );
}
