import type { ClientBase } from 'pg';
import type { MeterRegister } from './import-meters.ts';
import type { Faults } from './import-parse.ts';
import { engineering } from './sample.ts';

/** A register as its readings are checked. */
export interface CheckedRegister extends MeterRegister {
  /** Key of its meter. */
  readonly key: string;
  /** Counts at which it begins again at zero, if it may. */
  readonly modulus: number | undefined;
}

export interface CheckDeps {
  readonly client: ClientBase;
  /** Row of the file, by the position of the reading. */
  readonly rowOf: readonly number[];
  /** By point.num. */
  readonly registers: ReadonlyMap<number, CheckedRegister>;
  readonly faults: Faults;
}

interface Staged {
  readonly ord: number;
  readonly num: number;
  readonly value: number;
}

/**
 * Compares the staged readings with each other and with those stored: no other value for the same time, none above what
 * the register can show, and none that runs backwards. A reading refused by one check is left out of the next ones.
 */
export async function checkStaged(deps: CheckDeps): Promise<void> {
  await findContradictions(deps);
  await findTooLarge(deps);
  await findBackwards(deps);
}

const shown = ({ registers }: CheckDeps, num: number, counts: number): string =>
  String(engineering(counts, registers.get(num)!.resolution));

async function refuse<T extends Staged>(
  { client, rowOf, faults }: CheckDeps,
  found: readonly T[],
  reason: (of: T) => string,
): Promise<void> {
  for (const one of found) faults.add(rowOf[one.ord - 1]!, 'register', reason(one));
  if (found.length > 0)
    await client.query('delete from staged where ord = any($1::int4[])', [found.map(({ ord }) => ord)]);
}

async function findContradictions(deps: CheckDeps): Promise<void> {
  const stored = await deps.client.query<Staged & { ours: number | null }>(
    `select s.ord, s.point_num as num, s.value, r.value as ours
     from staged s join reading r on r.point_num = s.point_num and r.ts = s.ts
     where r.value is distinct from s.value or r.quality <> s.quality order by s.ord`,
  );
  await refuse(
    deps,
    stored.rows,
    ({ num, value, ours }) =>
      `${shown(deps, num, value)} contradicts ${ours === null ? 'a stored reading without a value' : `the stored ${shown(deps, num, ours)}`}`,
  );
  const twice = await deps.client.query<Staged>(
    `select b.ord, b.point_num as num, b.value from staged b
     where exists (
       select from staged a
       where a.point_num = b.point_num and a.ts = b.ts and a.ord < b.ord and a.value <> b.value
     ) order by b.ord`,
  );
  await refuse(
    deps,
    twice.rows,
    ({ num, value }) => `${shown(deps, num, value)} contradicts an earlier row of the file`,
  );
}

/** The registers that may roll over, as two parallel arrays for the database. */
function moduli({ registers }: CheckDeps): [nums: number[], moduli: number[]] {
  const known = [...registers.values()].filter(({ modulus }) => modulus !== undefined);
  return [known.map(({ num }) => num), known.map(({ modulus }) => modulus!)];
}

async function findTooLarge(deps: CheckDeps): Promise<void> {
  const { rows } = await deps.client.query<Staged & { modulus: number }>(
    `select ord, point_num as num, value, modulus
     from staged join unnest($1::int4[], $2::float8[]) m (point_num, modulus) using (point_num)
     where value >= modulus order by ord`,
    moduli(deps),
  );
  await refuse(
    deps,
    rows,
    ({ num, value, modulus }) =>
      `${shown(deps, num, value)} is not below ${shown(deps, num, modulus)}, where the register rolls over`,
  );
}

interface Step extends Staged {
  readonly valueOrd: number | null;
  readonly at: Date;
  readonly last: number;
  readonly lastOrd: number | null;
  readonly lastAt: Date;
}

async function findBackwards(deps: CheckDeps): Promise<void> {
  await refuse(deps, await backwardSteps(deps), (step) => {
    const { num, value, valueOrd, at, last, lastOrd, lastAt } = step;
    const { key, modulus } = deps.registers.get(num)!;
    const told = (counts: number, ord: number | null, when: Date): string => {
      if (ord === step.ord) return shown(deps, num, counts);
      const place = ord === null ? `stored for ${when.toISOString()}` : `row ${deps.rowOf[ord - 1]}`;
      return `${shown(deps, num, counts)} (${place})`;
    };
    const advice =
      modulus === undefined
        ? `if the register rolled over, say at which value with --rollover ${key}=VALUE`
        : `too far for a roll-over at ${shown(deps, num, modulus)}`;
    return `runs backwards: ${told(value, valueOrd, at)} after ${told(last, lastOrd, lastAt)}; ${advice}`;
  });
}

/**
 * Steps between neighbours in time, stored ones included, that no register makes: down, unless it may roll over and went on
 * by at most a tenth of its range; or, if it may, up by so much that it is a step down over the edge.
 */
async function backwardSteps(deps: CheckDeps): Promise<Step[]> {
  const { rows } = await deps.client.query<Step>(
    `with span as (
       select point_num, min(ts) as first, max(ts) as last from staged group by 1
     ), series as (
       select point_num, ts, value, ord from staged
       union all
       select s.point_num, r.ts, r.value, null from span s cross join lateral (
         (select ts, value from reading
          where point_num = s.point_num and ts < s.first and quality = 0 order by ts desc limit 1)
         union all
         (select ts, value from reading
          where point_num = s.point_num and ts between s.first and s.last and quality = 0)
         union all
         (select ts, value from reading
          where point_num = s.point_num and ts > s.last and quality = 0 order by ts limit 1)
       ) r
     ), step as (
       select point_num, ts, value, ord, lag(value) over w as last, lag(ord) over w as last_ord, lag(ts) over w as last_ts
       from series window w as (partition by point_num order by ts, ord nulls first)
     )
     select coalesce(ord, last_ord) as ord, point_num as num,
       value, ord as "valueOrd", ts as at, last, last_ord as "lastOrd", last_ts as "lastAt"
     from step left join unnest($1::int4[], $2::float8[]) m (point_num, modulus) using (point_num)
     where coalesce(ord, last_ord) is not null and case
       when value < last then modulus is null or last >= modulus or value + modulus - last > 0.1 * modulus
       else value - last > 0.9 * modulus end
     order by 1`,
    moduli(deps),
  );
  return rows;
}
