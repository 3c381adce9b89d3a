import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { whyUnread } from '@parkline/contract/unread';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseConfig } from '../config/load.ts';
import { applyPoints } from '../points/apply.ts';
import { createUuidV7 } from '../points/ids.ts';
import { type Format, formats } from '../points/point.ts';
import {
  openFile,
  openHomeStore,
  preview,
  type Preview,
  standardInput,
  storePath,
} from '../points/session.ts';
import type { PointStore } from '../points/store.ts';
import { exit, gatewayHome, type Io, readArgument, table } from './io.ts';
import { batchRow, importJson, importText, pointRow } from './points-text.ts';

interface Home {
  home?: string;
}
interface ImportOptions extends Home {
  format: Format;
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
  details?: boolean;
  source?: string;
  encoding?: string;
  base?: number;
  scaleFactor: ReadonlyMap<string, number>;
}

/** Adds `parkline points`. */
export function register(program: Command, io: Io): void {
  const points = program.command('points').description("the gateway's list of points");
  registerImport(points, io);
  registerLists(points, io);
  registerUndo(points, io);
  registerApply(points, io);
}

const withHome = (command: Command): Command =>
  command.option('--home <dir>', "the gateway's home (default: PARKLINE_GATEWAY_HOME, or this folder)");

function registerImport(points: Command, io: Io): void {
  withHome(
    points
      .command('import <file>')
      .description('compare a point list with what is there, and take it over')
      .addOption(new Option('--format <format>', 'what the file is').choices(formats).makeOptionMandatory())
      .option('--dry-run', 'only say what would change')
      .option('--yes', 'take it over without asking')
      .option('--json', 'print {add, change, unchanged, errors} as JSON')
      .option('--details', 'with --json: print each point that is added or changed too')
      .option('--source <name>', 'whose points these are, when two files use the same names')
      .option('--encoding <label>', 'encoding of the file (default: found out)')
      .option('--base <register>', 'SunSpec: 0-based address where the model begins', wholeNumber)
      .option(
        '--scale-factor <name=power>',
        'SunSpec: a scale factor, like A_SF=-2; again for more',
        scaleFactor,
        new Map(),
      ),
  )
    .addHelpText('after', importHelp)
    .action(async (file: string, options: ImportOptions) => {
      const code = await importFile(io, file, options);
      if (code !== 0) process.exitCode = code;
    });
}

const importHelp = `
Examples:
  parkline points import north_EDE.csv --format ede --dry-run
  parkline points import registers.csv --format modbus --yes
  parkline points import model.ttl --format brick --dry-run --json

Exit status: 0 all rows are sound, 1 nothing is usable, 2 wrong use, 3 some rows have errors.
`;

function wholeNumber(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`${text} is not a whole number.`);
}

function scaleFactor(text: string, before: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const [, name, power] = /^(\w+)=(-?\d{1,2})$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('write NAME=POWER, like A_SF=-2.');
  return new Map([...before, [name, Number(power)]]);
}

/** @returns the exit code. */
async function importFile(io: Io, path: string, options: ImportOptions): Promise<number> {
  const { dryRun = false, yes = false, json = false, details = false } = options;
  const home = dryRun ? knownHome(io, options.home) : gatewayHome(io, options.home);
  progress(io, `reading ${path}`);
  const seen = compare(io, path, options, home);
  const isUsable = seen.plan.changes.length > 0;
  const isWanted = !dryRun && isUsable && (yes || (await confirm(io, seen)));
  const batch = isWanted && home !== undefined ? commit(io, home, seen, path, options.format) : null;
  io.out(
    json
      ? importJson(seen, { details, ...(isWanted && { batch }) })
      : importText(seen, { batch, isDryRun: dryRun }),
  );
  if (!isUsable || (!dryRun && !isWanted)) return exit.failed;
  return seen.errors.length > 0 ? exit.partial : 0;
}

/** Compares with the list of that gateway; without one, with an empty list. */
function compare(io: Io, path: string, options: ImportOptions, home: string | undefined): Preview {
  if (home === undefined || !existsSync(storePath(home))) return readAndCompare(io, path, options, undefined);
  using store = closing(openHomeStore(home));
  return readAndCompare(io, path, options, store.value);
}

/** The home of a dry run; there need not be one. */
function knownHome(io: Io, named: string | undefined): string | undefined {
  try {
    return gatewayHome(io, named);
  } catch {
    return undefined; // Nobody named a gateway: the file is compared with an empty list.
  }
}

function readAndCompare(
  io: Io,
  path: string,
  options: ImportOptions,
  store: PointStore | undefined,
): Preview {
  const settings = { ...options, scaleFactors: options.scaleFactor };
  try {
    const file = path === '-' ? standardInput() : openFile(resolve(io.cwd, path));
    return preview(file, settings, store);
  } catch (cause) {
    if (typeof (cause as NodeJS.ErrnoException).syscall !== 'string') throw cause;
    const message = whyUnread(path, cause);
    const plan = { source: '', changes: [], add: 0, change: 0, unchanged: 0 };
    return { plan, errors: [{ row: 0, field: 'file', message }] };
  }
}

/** Asks on a terminal; elsewhere nobody could answer. */
async function confirm(io: Io, { plan, errors }: Preview): Promise<boolean> {
  if (plan.add + plan.change === 0) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    io.err('nothing was taken over: say --yes, or --dry-run to only look\n');
    return false;
  }
  const left = errors.length > 0 ? `, ${errors.length} faults stay out` : '';
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await ask.question(`add ${plan.add} and change ${plan.change} points${left}? [y/N] `);
  ask.close();
  return /^y(es)?$/i.test(answer.trim());
}

function commit(io: Io, home: string, { plan }: Preview, path: string, format: Format): number | null {
  progress(io, 'writing');
  using store = closing(openHomeStore(home));
  const done = store.value.commit(plan, { file: path, format });
  if ('batch' in done) return done.batch;
  throw new Error('the list was changed by another import meanwhile; run this one again');
}

/** Where a run stands, for a person who waits. */
function progress(io: Io, what: string): void {
  if (process.stderr.isTTY) io.err(`${what} ...\n`);
}

const closing = (value: PointStore): { value: PointStore } & Disposable => ({
  value,
  [Symbol.dispose]: () => {
    value.close();
  },
});

/** The list of a gateway that has one. @throws Error saying how to get one. */
function openExisting(io: Io, { home }: Home): { value: PointStore } & Disposable {
  const folder = gatewayHome(io, home);
  if (existsSync(storePath(folder))) return closing(openHomeStore(folder));
  throw new Error(`${folder} has no points yet: parkline points import FILE --format ${formats.join('|')}`);
}

function registerLists(points: Command, io: Io): void {
  withHome(points.command('list').description('print every point').option('--json', 'print JSON')).action(
    (options: Home & { json?: boolean }) => {
      using store = openExisting(io, options);
      const all = store.value.points();
      const head = ['ID', 'NAME', 'EQUIPMENT', 'DEVICE', 'ADDRESS', 'KIND', 'UNIT', 'SOURCE'];
      const flat = all.map(({ id, source, point }) => ({ id, source, ...point }));
      io.out(options.json ? `${JSON.stringify(flat)}\n` : table(head, all.map(pointRow)));
    },
  );
  withHome(points.command('batches').description('print every import').option('--json', 'print JSON')).action(
    (options: Home & { json?: boolean }) => {
      using store = openExisting(io, options);
      const all = store.value.batches();
      const head = ['BATCH', 'TIME', 'FILE', 'FORMAT', 'ADDED', 'CHANGED', 'UNDONE'];
      io.out(options.json ? `${JSON.stringify(all)}\n` : table(head, all.map(batchRow)));
    },
  );
}

function registerUndo(points: Command, io: Io): void {
  withHome(
    points
      .command('undo')
      .argument('<batch>', 'number of the import', wholeNumber)
      .description('put back what an import found')
      .option('--json', 'print JSON'),
  ).action((batch: number, options: Home & { json?: boolean }) => {
    using store = openExisting(io, options);
    const done = store.value.undo(batch);
    if (options.json) io.out(`${JSON.stringify(done)}\n`);
    if (done.ok) {
      if (!options.json) io.out(`${done.removed} points removed, ${done.restored} as they were before\n`);
      return;
    }
    process.exitCode = exit.failed;
    if (done.why === 'no_batch') io.err(`there is no batch ${batch}; parkline points batches lists them\n`);
    else if (done.why === 'undone') io.err(`batch ${batch} was undone before\n`);
    else {
      const later = done.batches.join(', ');
      io.err(
        `batch ${batch} stays: later imports (${later}) changed ${done.points} of its points; undo those first\n`,
      );
    }
  });
}

interface ApplyFlags extends Home {
  connection: string;
  source?: string;
  config?: string;
  out?: string;
  device?: number;
}

function registerApply(points: Command, io: Io): void {
  withHome(
    points
      .command('apply')
      .description('put points with an address into a connection of the configuration, and print it')
      .requiredOption('--connection <id>', 'connection of gateway.yaml the points belong to')
      .option('--source <name>', 'only the points of this source')
      .option('--device <number>', 'unit id or device instance of points whose file names none', wholeNumber)
      .option('--config <file>', "configuration to merge into (default: the home's gateway.yaml)")
      .option('--out <file>', 'write there in place of printing'),
  ).action((options: ApplyFlags) => {
    using store = openExisting(io, options);
    const config = options.config ?? join(gatewayHome(io, options.home), 'gateway.yaml');
    const wanted = store.value.points().filter(({ source }) => source === (options.source ?? source));
    const merged = applyPoints(readArgument(io, config).toString('utf8'), wanted, {
      connection: options.connection,
      device: options.device,
      createId: () => createUuidV7(Date.now()),
    });
    parseConfig(merged.yaml); // What the gateway would refuse is not handed out.
    // It may hold the logins of devices.
    if (options.out) writeFileSync(resolve(io.cwd, options.out), merged.yaml, { mode: 0o600 });
    else io.out(merged.yaml);
    io.err(`${merged.points} points in ${options.connection}, ${merged.devices} new devices\n`);
    const reasons = Map.groupBy(merged.left, ({ why }) => why);
    for (const [why, left] of reasons) io.err(`${left.length} points left out: ${why}\n`);
    if (merged.points === 0) process.exitCode = exit.failed;
    else if (merged.left.length > 0) process.exitCode = exit.partial;
  });
}
