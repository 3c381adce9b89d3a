import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { sql } from 'kysely';
import {
  addTariff,
  bookRun,
  type Booked,
  formatCents,
  hashInputs,
  lockRun,
  recordRun,
  type RunRecord,
} from '../billing/index.ts';
import type { Decimal } from '../metering/index.ts';
import { systemNow as now } from '../platform/clock.ts';
import { createDb, type Db, withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { billFolder, collectMultiplier, FILES } from './billing-folder.ts';
import { commandPool } from './command-pool.ts';
import { type Io, readArgument, usualAccount } from './io.ts';

interface AccountOptions {
  readonly account?: string;
  readonly json?: true;
}

interface RunOptions extends AccountOptions {
  readonly store?: true;
  readonly lock?: true;
  readonly multiplier: ReadonlyMap<string, Decimal>;
}

/** `billing run` and `billing tariff`: what is kept in the database. */
export function registerBooks(billing: Command, io: Io): void {
  billing
    .command('run')
    .description(
      `bill the month in DIR/${FILES.scenario} and DIR/${FILES.readings} and keep it; safe to repeat`,
    )
    .argument('<dir>', 'folder with both files')
    .option('--store', 'write it to the books; without it nothing is written')
    .option('--lock', 'with --store: close the run, so that it can never be changed')
    .addOption(
      new Option('--multiplier <METER=N>', 'bill with multiplier N for METER; may be repeated')
        .argParser(collectMultiplier)
        .default(new Map(), 'those of the folder'),
    )
    .option('--account <key>', 'key of the account; usually that of the running park')
    .option('--json', 'print the run as JSON')
    .action(async (dir: string, options: RunOptions, command: Command) => {
      if (options.lock && !options.store)
        command.error('error: --lock goes with --store: only what is written can be closed', { exitCode: 2 });
      await runMonth(resolve(io.cwd, dir), options, io);
    });
  billing
    .command('tariff')
    .description('keep a tariff, or a further version of one, that tenants see their cost by; safe to repeat')
    .argument(
      '<file>',
      'JSON {key, name: {en, zh}, commodity, site, from, holidays, adjusted_workdays?, tariff}',
    )
    .option('--account <key>', 'key of the account; usually that of the running park')
    .action(async (file: string, options: AccountOptions) => {
      const text = readArgument(io, file);
      const added = await onAccount(io, options, (db, accountId) =>
        withAccount(db, accountId, (trx) => addTariff(trx, accountId, text, newId)),
      );
      io.out(`${added.key} from ${added.from}: ${added.known ? 'known' : 'stored'}\n`);
    });
}

async function runMonth(folder: string, options: RunOptions, io: Io): Promise<void> {
  const { inputs, simulation } = billFolder(folder, options.multiplier);
  const inputsHash = hashInputs(inputs);
  const run = recordRun(simulation);
  const booked = options.store
    ? await onAccount(io, options, (db, accountId) =>
        withAccount(db, accountId, async (trx): Promise<Booked> => {
          const done = await bookRun(trx, accountId, { run, inputsHash }, { newId, now });
          if (!options.lock || done.state === 'locked') return done;
          await lockRun(trx, accountId, done.id, now());
          return { ...done, state: 'locked' };
        }),
      )
    : undefined;
  const total = formatCents(simulation.run.supply.total);
  const checks = run.checks.map(({ key, ok }) => ({ key, ok }));
  if (options.json)
    io.out(`${JSON.stringify({ inputsHash, total, checks, ...(booked ?? { id: null, state: null }) })}\n`);
  else io.out(describe(run, total, booked));
}

function describe(
  { period, currency, statements, checks }: RunRecord,
  total: string,
  booked?: Booked,
): string {
  const stored = booked
    ? `run ${booked.id} ${booked.known ? 'known' : 'stored'}, ${booked.state}`
    : 'nothing stored: add --store';
  const open = checks.filter(({ ok }) => !ok).map(({ key }) => `look at ${key.replaceAll('_', ' ')}\n`);
  return `${period.from} .. ${period.to}  ${statements.length} statements  ${total} ${currency}\n${open.join('')}${stored}\n`;
}

/** @throws Error when there is no such account, or none was named and no park runs here. */
async function onAccount<T>(
  io: Io,
  options: AccountOptions,
  work: (db: Db, accountId: string) => Promise<T>,
): Promise<T> {
  const key = options.account ?? usualAccount(io);
  if (key === undefined) throw new Error('name the account with --account KEY');
  const db = createDb(commandPool(io, 'billing'));
  try {
    const { rows } = await sql<{ id: string | null }>`select account_of_key(${key}) as id`.execute(db);
    const id = rows[0]?.id;
    if (!id) throw new Error(`there is no account ${key}`);
    return await work(db, id);
  } finally {
    await db.destroy();
  }
}
