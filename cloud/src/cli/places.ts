import { writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { ImportResult, RowNote } from '@parkline/contract';
import { type Command, Option } from 'commander';
import { sql } from 'kysely';
import { exportSheet, runImport, type Scope, templateSheet, undoImport } from '../imports/index.ts';
import { systemNow } from '../platform/clock.ts';
import { createDb, type Db, withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { readSheet, sheetFormats, type SheetFormat } from '../platform/sheets.ts';
import { sheetKinds } from '../sheet-kinds.ts';
import { commandPool, operator } from './command-pool.ts';
import { type Io, readBytes, usualAccount } from './io.ts';

interface Options {
  readonly kind: string;
  readonly account?: string;
  readonly dryRun?: true;
  readonly template?: true;
  readonly json?: true;
}

/** Faults told on the terminal, and warnings; --json has more. */
const MOST_FAULTS = 50;

/** `parkline places`: places, tenants, leases and devices from and to tables. */
export function register(program: Command, io: Io): void {
  const places = program.command('places').description('places, tenants, leases and devices as tables');
  const kind = new Option('--kind <kind>', 'what the rows are').choices(sheetKinds.map(({ name }) => name));
  places
    .command('import')
    .description('bring a csv or xlsx file in, all of it or nothing; safe to repeat')
    .argument('<file>', 'csv (UTF-8 or GBK) or xlsx; the first row names the columns')
    .addOption(kind.makeOptionMandatory())
    .option('--account <key>', 'key of the account; the running park, where there are several')
    .option('--dry-run', 'check everything and store nothing')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: Options) => {
      const result = await importFile(io, file, options);
      report(io, file, options, result);
      if (result.errorCount > 0) process.exitCode = 1;
    });
  places
    .command('export')
    .description('write everything of a kind to a file that can be imported again')
    .argument('<file>', 'ends in .csv or .xlsx')
    .addOption(kind.makeOptionMandatory())
    .option('--account <key>', 'key of the account; the running park, where there are several')
    .option('--template', 'an empty file with one row that shows how each column is written')
    .action((file: string, options: Options) => exportFile(io, file, options));
  places
    .command('undo')
    .description('take an import back, while nobody changed its rows since')
    .argument('<batch>', 'id that the import printed')
    .option('--account <key>', 'key of the account; the running park, where there are several')
    .action((batch: string, options: Options) => undo(io, batch, options));
}

const usage = (message: string): Error => Object.assign(new Error(message), { code: 'usage' });
const kindOf = (name: string) => sheetKinds.find((one) => one.name === name)!;
const scopeOf = (accountId: string): Omit<Scope, 'locks'> => ({
  ...{ accountId, personId: null, buildings: null, at: systemNow(), newId },
});

async function importFile(io: Io, file: string, options: Options): Promise<ImportResult> {
  const sheet = await readSheet(readBytes(io, file));
  const order = { sheet, dryRun: options.dryRun ?? false, file: `${operator()}: ${basename(file)}` };
  return inAccount(io, options, (trx, accountId) =>
    runImport(trx, kindOf(options.kind), scopeOf(accountId), { ...order, language: 'en' }),
  );
}

async function exportFile(io: Io, file: string, options: Options): Promise<void> {
  const format = sheetFormats.find((one): one is SheetFormat => file.endsWith(`.${one}`));
  if (!format) throw usage(`${file} must end in .csv or .xlsx`);
  const kind = kindOf(options.kind);
  const bytes = options.template
    ? await templateSheet(kind, format, 'en')
    : await inAccount(io, options, (trx, accountId) =>
        exportSheet(trx, kind, scopeOf(accountId), { format, language: 'en' }),
      );
  writeFileSync(resolve(io.cwd, file), bytes);
}

async function undo(io: Io, batch: string, options: Options): Promise<void> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(batch))
    throw usage(`${batch} is no import: name the id that places import printed`);
  const undone = await inAccount(io, options, (trx, accountId) =>
    undoImport(trx, sheetKinds, scopeOf(accountId), batch),
  );
  if (undone.ok) return io.out(`${undone.rows} rows are as they were before\n`);
  const faults = undone.why === 'held' ? undone.faults.map(({ text }) => text.en) : [];
  throw new Error([`import ${batch} cannot be undone: ${undone.why}`, ...faults].join('\n'));
}

const nobodyYet =
  'nobody administers this park yet: make the first administrator in the portal, with the set-up token that the start printed';

/** @throws Error when no account, or more than one, can be meant. */
async function inAccount<T>(
  io: Io,
  { account = usualAccount(io) }: Pick<Options, 'account'>,
  work: (trx: Db, accountId: string) => Promise<T>,
): Promise<T> {
  const db = createDb(commandPool(io, 'places'));
  try {
    const { rows } = await sql<{ id: string; key: string }>`select id, key from all_accounts()`.execute(db);
    const meant = account === undefined ? rows : rows.filter(({ key }) => key === account);
    const [one, ...others] = meant;
    if (!one) throw new Error(account === undefined ? nobodyYet : `no account ${account}`);
    if (others.length > 0)
      throw new Error(`whose places? --account is one of ${rows.map(({ key }) => key).join(', ')}`);
    return await withAccount(db, one.id, (trx) => work(trx, one.id));
  } finally {
    await db.destroy();
  }
}

/** What an import did, or would do, and what is wrong with its rows. */
export function report(
  io: Io,
  file: string,
  { json, dryRun }: Pick<Options, 'json' | 'dryRun'>,
  result: ImportResult,
): void {
  const { errors, errorCount, warnings, warningCount, add, change, unchanged, batchId } = result;
  if (json) return io.out(`${JSON.stringify(result)}\n`);
  const tell = (notes: readonly RowNote[], count: number, what: string) => {
    for (const { row, field, message } of notes.slice(0, MOST_FAULTS))
      io.err(`${what}${basename(file)}, row ${row}${field && `, ${field}`}: ${message}\n`);
    if (count > MOST_FAULTS) io.err(`${what}... and ${count - MOST_FAULTS} more\n`);
  };
  tell(errors, errorCount, '');
  tell(warnings, warningCount, 'warning: ');
  if (errorCount > 0) return io.out('nothing stored\n');
  io.out(
    `${dryRun ? 'would add' : 'added'} ${add}, ${dryRun ? 'change' : 'changed'} ${change}, ${unchanged} unchanged\n`,
  );
  if (batchId) io.out(`parkline places undo ${batchId} takes it back\n`);
}
