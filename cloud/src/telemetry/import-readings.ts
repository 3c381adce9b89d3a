import { loadTemplate } from '@parkline/templates';
import type { ClientBase, Pool } from 'pg';
import { copyRows } from './copy.ts';
import { createFaults, type Faults, readCsv, type RowFault } from './import-parse.ts';
import {
  createGatherer,
  type ImportedRows,
  type MeterRegister,
  readIntervals,
  readRegisters,
} from './import-rows.ts';
import { catchUpLatest } from './latest.ts';
import { engineering } from './sample.ts';

export interface ImportRequest {
  readonly accountId: string;
  /** Path of the file; .gz is unpacked. */
  readonly path: string;
  /** Its name as it is noted. */
  readonly name: string;
  /** Who imports, for the record. */
  readonly who: string;
  readonly simulated: boolean;
  /** Check everything and store nothing. */
  readonly dryRun: boolean;
}

export interface ImportDeps {
  /** The owner's. */
  readonly pool: Pool;
  readonly now: () => Date;
  readonly newId: () => string;
  /** Told now and then how many rows were read, and of each step. */
  readonly progress: (text: string) => void;
}

export interface ImportResult {
  /** Null when nothing was stored. */
  readonly importId: string | null;
  /** Readings in the file. */
  readonly rows: number;
  readonly inserted: number;
  /** There already, with the same value. */
  readonly unchanged: number;
  /** Any fault at all means that nothing was stored. */
  readonly faultCount: number;
  /** The first thousand of them. */
  readonly faults: readonly RowFault[];
}

const PROGRESS_ROWS = 100_000;

/**
 * Stores the readings of a csv file, all or none. A second run changes nothing. @throws UnreadableFile
 */
export async function importReadings(deps: ImportDeps, request: ImportRequest): Promise<ImportResult> {
  const { pool, progress } = deps;
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`select set_config('app.account_id', $1, true)`, [request.accountId]);
    const meters = await findMeters(client);
    const faults = createFaults();
    const read = await readFile(deps, request, meters, faults);
    const total = read.rows.rowOf.length;
    const names = new Map([...meters].map(([key, meter]) => [meter.num, { ...meter, key }]));
    if (read.isIntervals) await continueRegisters(client, read.rows);
    if (faults.count === 0) await stage(client, read.rows);
    if (faults.count === 0) await findContradictions(client, read.rows.rowOf, names, faults);
    progress(`${total} readings checked, ${faults.count} faults`);
    const inserted = faults.count === 0 ? await insertStaged(client) : 0;
    const importId = inserted > 0 && !request.dryRun ? deps.newId() : null;
    if (importId)
      await record(client, deps, request, { id: importId, sha256: read.sha256, rows: total, inserted });
    await client.query(importId ? 'commit' : 'rollback');
    client.release();
    const unchanged = faults.count === 0 ? total - inserted : 0;
    return { importId, rows: total, inserted, unchanged, faultCount: faults.count, faults: faults.kept };
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** The billing register of every meter of the account, by the meter's key. */
async function findMeters(client: ClientBase): Promise<Map<string, MeterRegister>> {
  const { rows } = await client.query<{
    meter: string;
    template: string;
    key: string;
    num: number;
    resolution: number;
  }>(
    `select e.key as meter, e.template, p.key, p.num, p.resolution
     from equipment e join point p on p.account_id = e.account_id and p.equipment_id = e.id
     where e.account_id = current_account() and p.kind = 'register' order by p.num`,
  );
  const meters = new Map<string, MeterRegister>();
  for (const [meter, registers] of Map.groupBy(rows, ({ meter }) => meter)) {
    const [first] = registers;
    const billing = registers.length > 1 ? billingKey(first!.template) : first!.key;
    const register = registers.find(({ key }) => key === billing);
    if (register) meters.set(meter, { num: register.num, resolution: register.resolution });
  }
  return meters;
}

const billingKey = (template: string): string | undefined =>
  loadTemplate(template).points.find(({ billing }) => billing)?.key;

async function readFile(
  { now, progress }: ImportDeps,
  { path, simulated }: ImportRequest,
  meters: ReadonlyMap<string, MeterRegister>,
  faults: Faults,
) {
  const gather = createGatherer(simulated);
  const deps = { faults, gather, now: now() };
  let isIntervals = false;
  let onRow: ((cells: readonly string[], row: number) => void) | undefined;
  let rowsRead = 0;
  const sha256 = await readCsv(path, (cells, row) => {
    rowsRead += 1;
    if (rowsRead % PROGRESS_ROWS === 0) progress(`${rowsRead} rows read`);
    if (row > 1) return onRow?.(cells, row);
    isIntervals = cells[0] === 'datetime_utc';
    if (isIntervals) onRow = readIntervals(cells, meters, deps);
    else if (['meter', 'ts', 'register'].every((name) => cells.includes(name)))
      onRow = readRegisters(cells, meters, deps);
    else faults.add(1, 'header', 'is neither meter,ts,register nor datetime_utc and one column a meter');
  });
  if (rowsRead === 0) faults.add(1, 'header', 'is missing: the file is empty');
  return { rows: gather.end(), isIntervals, sha256 };
}

/** Counts of an interval file begin at zero: puts what each meter showed last, at or before its first time, below them. */
async function continueRegisters(client: ClientBase, { blocks }: ImportedRows): Promise<void> {
  const first = new Map<number, number>();
  for (const { num, at, length } of blocks)
    for (let i = 0; i < length; i += 1) if (!first.has(num[i]!)) first.set(num[i]!, at[i]!);
  const { rows } = await client.query<{ num: number; value: number }>(
    `select x.num, r.value
     from unnest($1::int4[], $2::float8[]) x (num, ms)
     cross join lateral (
       select value from reading
       where point_num = x.num and ts <= '1970-01-01Z'::timestamptz + x.ms * interval '1 millisecond' and quality = 0
       order by ts desc limit 1
     ) r`,
    [[...first.keys()], [...first.values()]],
  );
  const start = new Map(rows.map(({ num, value }) => [num, value]));
  for (const { num, value, length } of blocks)
    for (let i = 0; i < length; i += 1) value[i]! += start.get(num[i]!) ?? 0;
}

/** Puts the readings beside the table, numbered in the order of the file. */
async function stage(client: ClientBase, { blocks }: ImportedRows): Promise<void> {
  await client.query(
    `create temp table staged (
       ord int4 generated always as identity, point_num int4, ts timestamptz, value float8, quality int2, flags int2
     ) on commit drop`,
  );
  for (const block of blocks) await copyRows(client, 'staged', [block]);
  await client.query('create index on staged (point_num, ts)');
  await client.query('analyze staged');
}

type Names = ReadonlyMap<number, MeterRegister & { readonly key: string }>;

/** Another value for a time that is stored or in the file already, and registers that run backwards. */
async function findContradictions(
  client: ClientBase,
  rowOf: readonly number[],
  names: Names,
  faults: Faults,
): Promise<void> {
  const say = (num: number, counts: number): string =>
    String(engineering(counts, names.get(num)?.resolution ?? 1));
  const stored = await client.query<{ ord: number; num: number; value: number; ours: number | null }>(
    `select s.ord, s.point_num as num, s.value, r.value as ours
     from staged s join reading r on r.point_num = s.point_num and r.ts = s.ts
     where r.value is distinct from s.value or r.quality <> s.quality order by s.ord`,
  );
  for (const { ord, num, value, ours } of stored.rows)
    faults.add(
      rowOf[ord - 1]!,
      'register',
      `${say(num, value)} contradicts the stored ${say(num, ours ?? NaN)}`,
    );
  const twice = await client.query<{ ord: number; num: number; value: number }>(
    `select b.ord, b.point_num as num, b.value from staged a join staged b using (point_num, ts)
     where a.ord < b.ord and a.value <> b.value order by b.ord`,
  );
  for (const { ord, num, value } of twice.rows)
    faults.add(rowOf[ord - 1]!, 'register', `${say(num, value)} contradicts an earlier row of the file`);
  if (faults.count > 0) return;
  for (const { ord, num, value, last } of await findBackwards(client))
    faults.add(rowOf[ord - 1]!, 'register', `runs backwards: ${say(num, value)} after ${say(num, last)}`);
}

/** Steps down between neighbours in time, stored ones included, that are no roll-over (the rule of `registerUse`). */
async function findBackwards(
  client: ClientBase,
): Promise<{ ord: number; num: number; value: number; last: number }[]> {
  const { rows } = await client.query<{ ord: number; num: number; value: number; last: number }>(
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
       select point_num, value, ord, lag(value) over w as last, lag(ord) over w as last_ord
       from series window w as (partition by point_num order by ts, ord nulls first)
     )
     select coalesce(ord, last_ord) as ord, point_num as num, value, last from step
     cross join lateral (select power(10::float8, length(trunc(last)::numeric::text)) as modulus) m
     where value < last and coalesce(ord, last_ord) is not null
       and not (last >= 0.9 * modulus and value < 0.1 * modulus)
     order by 1`,
  );
  return rows;
}

/** @returns how many were not there. */
async function insertStaged(client: ClientBase): Promise<number> {
  await client.query(
    `select reading_ensure(array(select distinct date_bin('1 day', ts, '2000-01-03Z') from staged))`,
  );
  const { rowCount } = await client.query(
    `insert into reading (point_num, ts, value, quality, flags)
     select point_num, ts, value, quality, flags from staged on conflict (point_num, ts) do nothing`,
  );
  return rowCount ?? 0;
}

async function record(
  client: ClientBase,
  { now }: ImportDeps,
  { accountId, who, name, simulated }: ImportRequest,
  { id, sha256, rows, inserted }: { id: string; sha256: string; rows: number; inserted: number },
): Promise<void> {
  await client.query(
    `insert into reading_import (id, account_id, who, file, sha256, rows, inserted, simulated, at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [id, accountId, who, name, sha256, rows, inserted, simulated, now()],
  );
  const { rows: points } = await client.query<{ num: number }>(
    'select distinct point_num as num from staged',
  );
  await catchUpLatest(
    client,
    now(),
    points.map(({ num }) => num),
  );
}
