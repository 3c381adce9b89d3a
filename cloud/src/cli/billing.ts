import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Command, InvalidArgumentError } from 'commander';
import { describeRun, parseJson, presentRun, simulate } from '../billing/index.ts';
import { type Decimal, type Fault, parseDecimal } from '../metering/index.ts';

/** What the command line hands to its commands. */
export interface CommandIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

const FILES = { scenario: 'scenario.json', readings: 'readings.csv.gz' } as const;

/** The same kind of fault in every row of a file is told this often. */
const MOST_FAULTS = 50;
/** A year of a thousand meters fits; a file that unpacks to more is no readings file. */
const MOST_BYTES = 2 ** 31;

interface Options {
  readonly json?: true;
  readonly vee?: true;
  readonly multiplier: ReadonlyMap<string, Decimal>;
}

/** `billing simulate`: bills a folder of files; needs neither server nor database. */
export function register(program: Command, io: CommandIo): void {
  program
    .command('billing')
    .description('compute bills from files')
    .command('simulate')
    .description(
      `bill the month in DIR/${FILES.scenario} and DIR/${FILES.readings}; every fault found is told, exit code 1.`,
    )
    .argument('<dir>', 'folder with both files')
    .option('--json', 'print the result as JSON, all amounts as text')
    .option('--vee', 'with --json: list every interval that is not plainly measured')
    .option(
      '--multiplier <METER=N>',
      'bill as if METER had multiplier N; may be repeated',
      collectMultiplier,
      new Map(),
    )
    .action((dir: string, options: Options, command: Command) => {
      if (options.vee && !options.json)
        command.error('error: --vee goes with --json; the table lists these intervals in its notes', {
          exitCode: 2,
        });
      runSimulation(resolve(io.cwd, dir), options, io);
    });
}

function collectMultiplier(text: string, before: ReadonlyMap<string, Decimal>): ReadonlyMap<string, Decimal> {
  const split = text.lastIndexOf('=');
  const multiplier = parseDecimal(text.slice(split + 1));
  if (split < 1 || !multiplier || multiplier.units <= 0n)
    throw new InvalidArgumentError('Write METER=N with N above zero, as in 4-new=15.');
  return new Map([...before, [text.slice(0, split), multiplier]]);
}

function runSimulation(folder: string, options: Options, io: CommandIo): void {
  const faults: Fault[] = [];
  const scenario = attempt('scenario', faults, () =>
    parseJson(readFileSync(join(folder, FILES.scenario), 'utf8')),
  );
  const readings = attempt('readings', faults, () => {
    const packed = readFileSync(join(folder, FILES.readings));
    return gunzipSync(packed, { maxOutputLength: MOST_BYTES }).toString('utf8');
  });
  const result = simulate({ scenario, readings, multipliers: options.multiplier });
  if (!result.ok) faults.push(...result.faults);
  if (faults.length > 0 || !result.ok) throw new Error(describeFaults(faults));

  if (options.json)
    io.out(`${JSON.stringify(presentRun(result.value.run, options.vee ?? false), null, 2)}\n`);
  else io.out(describeRun(result.value, /^zh/i.test(io.env['LC_ALL'] || io.env['LANG'] || '') ? 'zh' : 'en'));
}

function attempt<T>(source: Fault['source'], faults: Fault[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    faults.push({ source, message: describeFailure(error) });
    return undefined;
  }
}

function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (error instanceof SyntaxError) return `is not JSON: ${error.message}`;
  if (typeof code === 'string' && (code.startsWith('Z_') || code.startsWith('ERR_')))
    return `is not a gzip file that can be read: ${error.message}`;
  return `cannot be read: ${error.message}`;
}

/** scenario.json: installations[1].multiplier: is missing / readings.csv.gz, row 17, ts: ... */
function describeFaults(faults: readonly Fault[]): string {
  const lines = faults.slice(0, MOST_FAULTS).map(({ source, row, field, message }) => {
    const place = [FILES[source], row !== undefined && `row ${row}`, field].filter(Boolean).join(', ');
    return `${place}: ${message}`;
  });
  if (faults.length > MOST_FAULTS) lines.push(`... and ${faults.length - MOST_FAULTS} more`);
  return lines.join('\n');
}
