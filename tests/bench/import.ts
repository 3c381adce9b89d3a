// 500 points from one CSV file, as a person sends it: read, checked, compared, stored and audited. The promise is 5 s. Beside it
// the plainest way: split the same file and insert row by row, in one transaction.
import { loadTemplates } from '@parkline/templates';
import Papa from 'papaparse';
import pg from 'pg';
import { pointSheet } from '../../cloud/src/fleet/point-sheet.ts';
import { givenFleet, mixedPark } from '../../cloud/src/fleet/testing.ts';
import { givenAccount } from '../../cloud/src/identity/testing.ts';
import { runImport } from '../../cloud/src/imports/index.ts';
import { createDb, createPool, type Db, withAccount } from '../../cloud/src/platform/db.ts';
import { newId } from '../../cloud/src/platform/ids.ts';
import { enableTimescale, migrate } from '../../cloud/src/platform/migrate.ts';
import { readSheet } from '../../cloud/src/platform/sheets.ts';
import { findPrograms, startPostgres } from './ingest-services.ts';
import { type BenchResult, machine, median, round, spread } from './report.ts';

const POINTS = 500;
const RUNS = 7;
const points = pointSheet(loadTemplates());

/** Other names in each run: nothing is there before. */
const fileOf = (run: number): Buffer =>
  Buffer.from(
    Papa.unparse(
      Array.from({ length: POINTS }, (_, i) => ({
        ...{
          point: `m-ahu.run${run}_${i}`,
          name_en: `Point ${i}`,
          name_zh: `点位 ${i}`,
          unit: '°C',
          kind: 'gauge',
        },
        ...{
          address: `analog-value,${run * 1_000 + i}`,
          scale: 0.1,
          deadband: 0.2,
          poll_s: 30,
          space: 'm-101',
        },
        ...{ tags: 'zone; temp; sensor', brick: 'Zone_Air_Temperature_Sensor' },
      })),
    ),
  );

export async function run(progress: (text: string) => void): Promise<BenchResult> {
  const programs = await findPrograms(progress);
  const server = await startPostgres(programs.postgres);
  try {
    await enableTimescale(server.url);
    await migrate(server.url);
    const db = createDb(createPool({ url: server.url, max: 2 }));
    const pool = new pg.Pool({ connectionString: server.url, max: 1 });
    try {
      return await measure({ db, pool }, progress);
    } finally {
      await db.destroy();
      await pool.end();
    }
  } finally {
    await server.stop();
  }
}

async function measure(
  { db, pool }: { db: Db; pool: pg.Pool },
  progress: (text: string) => void,
): Promise<BenchResult> {
  const account = await givenAccount(db);
  await givenFleet(db, account, mixedPark);
  const [ours, raw] = [[], []] as [Took[], Took[]];
  for (let i = 0; i < RUNS; i += 1) {
    ours.push(await timed(() => importFile(db, account, fileOf(2 * i))));
    raw.push(await timed(() => insertRows(pool, account, fileOf(2 * i + 1))));
    const [one, other] = [ours.at(-1)!, raw.at(-1)!];
    progress(
      `run ${i + 1}: import ${round(one.ms)} ms (${round(one.cpuMs)} ms CPU), row by row ${round(other.ms)} ms`,
    );
  }
  const ratios = ours.map(({ ms }, i) => ms / raw[i]!.ms);
  const { rows } = await pool.query<{ server_version: string }>('show server_version');
  return {
    ...{
      bench: 'import',
      ratio: round(median(ratios)),
      better: 'lower',
      spread: round(spread(ratios)),
      runs: RUNS,
    },
    ours: figures(ours),
    raw: figures(raw),
    machine: machine(),
    versions: { node: process.version, postgres: rows[0]!.server_version },
    notes: `${POINTS} points from one CSV: read, checked, stored, with its undo and its audit; CPU is that of the server's process, not of the database.`,
    max_ms: round(Math.max(...ours.map(({ ms }) => ms))),
    within_5_s: ours.every(({ ms }) => ms <= 5_000),
  };
}

interface Took {
  readonly ms: number;
  readonly cpuMs: number;
}

async function timed(work: () => Promise<unknown>): Promise<Took> {
  const [began, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - began, cpuMs: (user + system) / 1_000 };
}

const figures = (took: readonly Took[]) => ({
  median: round(median(took.map(({ ms }) => ms))),
  unit: 'ms',
  cpu_us_per_item: round((median(took.map(({ cpuMs }) => cpuMs)) * 1_000) / POINTS),
});

async function importFile(db: Db, accountId: string, bytes: Buffer): Promise<void> {
  const sheet = await readSheet(bytes);
  const scope = { accountId, personId: null, buildings: null, at: new Date(), newId };
  const order = { sheet, dryRun: false, file: 'points.csv', language: 'en' } as const;
  const result = await withAccount(db, accountId, (trx) => runImport(trx, points, scope, order));
  if (result.add !== POINTS || result.errorCount > 0)
    throw new Error(JSON.stringify(result.errors.slice(0, 3)));
}

async function insertRows(pool: pg.Pool, accountId: string, bytes: Buffer): Promise<void> {
  const { data } = Papa.parse<Record<string, string>>(bytes.toString(), { header: true });
  await pool.query('begin');
  for (const row of data)
    await pool.query(
      `insert into point (id, account_id, equipment_id, key, name, unit, kind, resolution, decimals, protocol, poll_ms, heartbeat_ms)
       select $1, $2, id, $3, $4, $5, $6, 1, 1, 'bacnet', 30000, 300000 from equipment where account_id = $2 and key = $7`,
      [
        ...[
          newId(),
          accountId,
          row['point']!.split('.')[1],
          JSON.stringify({ en: row['name_en'], zh: row['name_zh'] }),
        ],
        ...[row['unit'], row['kind'], row['point']!.split('.')[0]],
      ],
    );
  await pool.query('commit');
}
