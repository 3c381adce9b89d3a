import { userInfo } from 'node:os';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { systemNow } from '../platform/clock.ts';
import { createPool } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { importReadings, type ImportResult } from '../telemetry/index.ts';
import { databaseUrl, type Io } from './io.ts';

interface Options {
  readonly account?: string;
  readonly dryRun?: true;
  readonly simulated?: true;
  readonly json?: true;
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
    .option('--account <key>', 'key of the account, where there are several')
    .option('--dry-run', 'check everything and store nothing')
    .option('--simulated', 'mark the readings as made by a model, not measured')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: Options) => {
      const result = await run(io, file, options);
      report(io, file, options, result);
      if (result.faultCount > 0) process.exitCode = 1;
    });
}

async function run(io: Io, file: string, options: Options): Promise<ImportResult> {
  const pool = createPool({ url: databaseUrl(io), max: 2, name: 'parkline readings' });
  const progress = (text: string): void => io.err(`${text}\n`);
  try {
    const { rows } = await pool.query<{ id: string; key: string }>(
      'select id, key from accounts_with_meters() where $1::text is null or key = $1',
      [options.account],
    );
    const [account, ...others] = rows;
    if (!account)
      throw new Error(
        options.account ? `no account ${options.account} with meters` : 'no account has meters',
      );
    if (others.length > 0)
      throw new Error(`several accounts: name one with --account (${rows.map(({ key }) => key).join(', ')})`);
    return await importReadings(
      { pool, now: systemNow, newId, progress },
      {
        accountId: account.id,
        path: resolve(io.cwd, file),
        name: basename(file),
        who: userInfo().username,
        simulated: options.simulated ?? false,
        dryRun: options.dryRun ?? false,
      },
    );
  } finally {
    await pool.end();
  }
}

function report(io: Io, file: string, { json, dryRun }: Options, result: ImportResult): void {
  const { faults, faultCount, inserted, unchanged } = result;
  for (const { row, field, reason } of faults.slice(0, MOST_FAULTS))
    io.err(`${basename(file)}, row ${row}, ${field}: ${reason}\n`);
  if (faultCount > MOST_FAULTS) io.err(`... and ${faultCount - MOST_FAULTS} more\n`);
  if (json) io.out(`${JSON.stringify({ ...result, dryRun: dryRun ?? false })}\n`);
  else if (faultCount > 0) io.out('nothing stored\n');
  else
    io.out(
      `${inserted} readings ${dryRun ? 'would be stored' : 'stored'}, ${unchanged} were there already\n`,
    );
}
