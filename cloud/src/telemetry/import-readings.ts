import type { ClientBase, Pool } from 'pg';
import { copyRows } from './copy.ts';
import { type CheckedRegister, checkStaged } from './import-checks.ts';
import { createHint, findMeters, type MeterRegister } from './import-meters.ts';
import { createFaults, type Faults, readCsv, type RowFault } from './import-parse.ts';
import { createGatherer, type ImportedRows, readIntervals, readRegisters } from './import-rows.ts';
import { catchUpLatest } from './latest.ts';
import { toCounts } from './sample.ts';

export interface ImportRequest {
  readonly accountId: string;
  /** Path of the file; .gz is unpacked. */
  readonly path: string;
  /** Its name as it is noted. */
  readonly name: string;
  /** Who imports, for the record. */
  readonly who: string;
  readonly simulated: boolean;
  /** Meters whose register may roll over, and the value (in the meter's unit) at which it begins again at zero. */
  readonly rollover: ReadonlyMap<string, number>;
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
  /** Rows of the file below its header. */
  readonly checked: number;
  /** Readings in it that could be read. */
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

/** A number and its noun: 1 row, 2 rows. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** What was said about roll-overs fits no register. */
export class BadRollover extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadRollover';
  }
}

/**
 * Stores the readings of a csv file, all or none. A second run changes nothing. @throws UnreadableFile, BadRollover
 */
export async function importReadings(deps: ImportDeps, request: ImportRequest): Promise<ImportResult> {
  const { pool, progress } = deps;
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`select set_config('app.account_id', $1, true)`, [request.accountId]);
    const meters = await findMeters(client);
    const registers = registersToCheck(meters, request.rollover);
    const faults = createFaults();
    const { rows, checked, isIntervals, sha256 } = await readFile(deps, request, meters, faults);
    const { rowOf } = rows;
    if (isIntervals) await continueRegisters(client, rows);
    await stage(client, rows);
    await checkStaged({ client, rowOf, registers, faults });
    progress(`${counted(checked, 'row')} checked, ${counted(faults.count, 'fault')}`);
    const inserted = faults.count === 0 ? await insertStaged(client) : 0;
    const importId = inserted > 0 && !request.dryRun ? deps.newId() : null;
    if (importId) await record(client, deps, request, { id: importId, sha256, rows: rowOf.length, inserted });
    await client.query(importId ? 'commit' : 'rollback');
    client.release();
    return {
      importId,
      checked,
      rows: rowOf.length,
      inserted,
      unchanged: faults.count === 0 ? rowOf.length - inserted : 0,
      faultCount: faults.count,
      faults: faults.sorted(),
    };
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** By point.num. @throws BadRollover */
function registersToCheck(
  meters: ReadonlyMap<string, MeterRegister>,
  rollover: ImportRequest['rollover'],
): Map<number, CheckedRegister> {
  const hintFor = createHint(meters.keys());
  for (const [key, shown] of rollover) {
    const meter = meters.get(key);
    if (!meter) throw new BadRollover(`--rollover ${key}=${shown}: no such meter; ${hintFor(key)}`);
    if (toCounts(shown, meter.resolution) === undefined)
      throw new BadRollover(`--rollover ${key}=${shown}: not a whole number of steps of ${meter.resolution}`);
  }
  return new Map(
    [...meters].map(([key, { num, resolution }]) => {
      const shown = rollover.get(key);
      return [
        num,
        { key, num, resolution, modulus: shown === undefined ? shown : toCounts(shown, resolution) },
      ];
    }),
  );
}

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
    if (rowsRead % PROGRESS_ROWS === 0) progress(`${counted(rowsRead, 'row')} read`);
    if (row > 1) return onRow?.(cells, row);
    isIntervals = cells[0] === 'datetime_utc';
    if (isIntervals) onRow = readIntervals(cells, meters, deps);
    else if (['meter', 'ts', 'register'].every((name) => cells.includes(name)))
      onRow = readRegisters(cells, meters, deps);
    else faults.add(1, 'header', 'is neither meter,ts,register nor datetime_utc and one column a meter');
  });
  if (rowsRead === 0) faults.add(1, 'header', 'is missing: the file is empty');
  return { rows: gather.end(), checked: Math.max(0, rowsRead - 1), isIntervals, sha256 };
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
  const at = now();
  await client.query(
    `insert into reading_import (id, account_id, who, file, sha256, rows, inserted, simulated, at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [id, accountId, who, name, sha256, rows, inserted, simulated, at],
  );
  await client.query(
    `insert into audit_event (account_id, at, person_id, action, subject_id, content)
     values ($1, $2, null, 'readings.imported', $3, $4)`,
    [accountId, at, id, { details: { file: name, sha256, rows, inserted, simulated } }],
  );
  const { rows: points } = await client.query<{ num: number }>(
    'select distinct point_num as num from staged',
  );
  await catchUpLatest(
    client,
    at,
    points.map(({ num }) => num),
  );
}
