import { sql } from 'kysely';
import type { Db } from '../platform/db.ts';

/** Bit of reading.flags: the clock of the gateway was in doubt. */
const TIME_SUSPECT = 2;
/** More than two hours of a point that is read every second. */
const MOST = 10_000;

/** A stored sample in the unit of its point. */
export interface StoredSample {
  /** Unix ms. */
  readonly at: number;
  readonly value: number | null;
  /** Neither uncertain nor bad, and of a time that can be trusted. */
  readonly isGood: boolean;
}

/** Samples of a point in [from, to), oldest first. Of a point that the transaction may not see there are none. */
export async function samplesBetween(db: Db, pointId: string, from: Date, to: Date): Promise<StoredSample[]> {
  const { rows } = await sql<{
    ts: Date;
    value: number | null;
    quality: number;
    flags: number;
    step: number;
  }>`
    select r.ts, r.value, r.quality, r.flags, case when p.kind = 'register' then p.resolution else 1 end as step
    from point p, reading_raw(p.id, ${from}, ${to}, ${MOST}) r where p.id = ${pointId} order by r.ts`.execute(
    db,
  );
  return rows.map(({ ts, value, quality, flags, step }) => ({
    at: ts.getTime(),
    value: value === null ? null : value * step,
    isGood: quality === 0 && (flags & TIME_SUSPECT) === 0,
  }));
}
