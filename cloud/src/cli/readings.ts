import { basename, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Pool } from 'pg';
import { systemNow } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import {
  counted,
  importReadings,
  type ImportResult,
  type ListedMeter,
  readMeters,
} from '../telemetry/index.ts';
import { commandPool, operator } from './command-pool.ts';
import { assertReadable, type Io, usualAccount } from './io.ts';

interface MeterOptions {
  readonly account?: string;
  readonly json?: true;
}

interface ImportOptions extends MeterOptions {
  readonly dryRun?: true;
  readonly simulated?: true;
  readonly rollover?: ReadonlyMap<string, number>;
}

/** Faults told on the terminal; --json has more. */
const MOST_FAULTS = 50;

/** `parkline readings`: meter readings from files. */
export function register(program: Command, io: Io): void {
  const readings = program.command('readings').description('meter readings from files');
  readings
    .command('import')
    .description('store the readings of a csv file, all or none; safe to repeat')
    .argument(
      '<file>',
      'csv or csv.gz: meter,ts,register (what the register showed), or datetime_utc and one column of hourly energy a meter',
    )
    .option('--account <key>', 'key of the account; the running park, where there are several')
    .option('--dry-run', 'check everything and store nothing')
    .option('--simulated', 'mark the readings as made by a model, not measured')
    .option(
      '--rollover <METER=VALUE>',
      'the register of METER begins again at zero at VALUE, in its unit; may be repeated',
      collectRollover,
    )
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: ImportOptions) => {
      assertReadable(io, file);
      const result = await run(io, file, options);
      report(io, file, options, result);
      if (result.faultCount > 0) process.exitCode = 1;
    });
  readings
    .command('meters')
    .description('list the meters that readings can be imported for, and what they showed last')
    .option('--account <key>', 'key of the account; the running park, where there are several')
    .option('--json', 'print the list as JSON')
    .action((options: MeterOptions) =>
      withAccount(io, options, async (pool, accountId) => {
        const meters = await readMeters(pool, accountId);
        io.out(options.json ? `${JSON.stringify(meters)}\n` : table(meters));
      }),
    );
}

function collectRollover(
  text: string,
  before: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<string, number> {
  const [, meter, value] = /^(.+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (!meter || !(Number(value) > 0))
    throw new InvalidArgumentError('Write METER=VALUE with VALUE above zero, as in a-t303=1000000.');
  return new Map([...before, [meter, Number(value)]]);
}

const run = (io: Io, file: string, options: ImportOptions): Promise<ImportResult> =>
  withAccount(io, options, (pool, accountId) =>
    importReadings(
      { pool, now: systemNow, newId, progress: (text) => io.err(`${text}\n`) },
      {
        accountId,
        path: resolve(io.cwd, file),
        name: basename(file),
        who: operator(),
        simulated: options.simulated ?? false,
        rollover: options.rollover ?? new Map(),
        dryRun: options.dryRun ?? false,
      },
    ),
  );

async function withAccount<T>(
  io: Io,
  options: MeterOptions,
  work: (pool: Pool, accountId: string) => Promise<T>,
): Promise<T> {
  const pool = commandPool(io, 'readings');
  try {
    const { rows } = await pool.query<{ id: string; key: string }>(
      'select id, key from accounts_with_meters() where $1::text is null or key = $1',
      [options.account],
    );
    const usual = rows.find(({ key }) => rows.length > 1 && key === usualAccount(io));
    const [account, ...others] = usual ? [usual] : rows;
    if (!account)
      throw new Error(
        options.account ? `no account ${options.account} with meters` : 'no account has meters',
      );
    if (others.length > 0)
      throw new Error(`several accounts: name one with --account (${rows.map(({ key }) => key).join(', ')})`);
    return await work(pool, account.id);
  } finally {
    await pool.end();
  }
}

function report(io: Io, file: string, { json, dryRun }: ImportOptions, result: ImportResult): void {
  const { faults, faultCount, inserted, unchanged } = result;
  for (const { row, field, reason } of faults.slice(0, MOST_FAULTS))
    io.err(`${basename(file)}, row ${row}, ${field}: ${reason}\n`);
  if (faultCount > MOST_FAULTS) io.err(`... and ${faultCount - MOST_FAULTS} more\n`);
  if (json) io.out(`${JSON.stringify({ ...result, dryRun: dryRun ?? false })}\n`);
  else if (faultCount > 0) io.out('nothing stored\n');
  else
    io.out(
      `${counted(inserted, 'reading')} ${dryRun ? 'would be stored' : 'stored'}, ${unchanged} ${unchanged === 1 ? 'was' : 'were'} there already\n`,
    );
}

/** For a terminal: columns as wide as what stands in them. */
function table(meters: readonly ListedMeter[]): string {
  const rows = [
    ['KEY', 'NAME', 'UNIT', 'TEMPLATE', 'REGISTER', 'AT'],
    ...meters.map(({ key, name, unit, template, register: shown, at }) => [
      key,
      name.en,
      unit,
      template,
      shown === null ? '-' : String(shown),
      at?.toISOString() ?? '-',
    ]),
  ];
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((cells) => cells[i]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  return rows.map((cells) => `${line(cells)}\n`).join('');
}
