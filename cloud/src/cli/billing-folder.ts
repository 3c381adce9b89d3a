import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { InvalidArgumentError } from 'commander';
import { parseJson, type RunInputs, type Simulation, simulate } from '../billing/index.ts';
import { type Decimal, type Fault, parseDecimal } from '../metering/index.ts';

/** What a folder to bill holds. */
export const FILES = { scenario: 'scenario.json', readings: 'readings.csv.gz' } as const;

/** The same kind of fault in every row of a file is told this often. */
const MOST_FAULTS = 50;
/** A year of a thousand meters fits; a file that unpacks to more is no readings file. */
const MOST_BYTES = 2 ** 31;

/** A month billed, and what it was billed from. */
export interface BilledFolder {
  readonly inputs: RunInputs;
  readonly simulation: Simulation;
}

/** Bills the month in a folder. @throws Error telling every fault found, each with its file, row and field. */
export function billFolder(folder: string, multipliers: ReadonlyMap<string, Decimal>): BilledFolder {
  const faults: Fault[] = [];
  const text = attempt('scenario', faults, () => readFileSync(join(folder, FILES.scenario), 'utf8'));
  const scenario = text === undefined ? undefined : attempt('scenario', faults, () => parseJson(text));
  const readings = attempt('readings', faults, () => {
    const packed = readFileSync(join(folder, FILES.readings));
    return gunzipSync(packed, { maxOutputLength: MOST_BYTES }).toString('utf8');
  });
  const result = simulate({ scenario, readings, multipliers });
  if (!result.ok) faults.push(...result.faults);
  if (faults.length > 0 || !result.ok) throw new Error(describeFaults(faults));
  const inputs = { scenario: text ?? '', readings: readings ?? '', multipliers };
  return { inputs, simulation: result.value };
}

/** Reads METER=N of an option that may be repeated. @throws InvalidArgumentError on anything else. */
export function collectMultiplier(
  text: string,
  before: ReadonlyMap<string, Decimal>,
): ReadonlyMap<string, Decimal> {
  const split = text.lastIndexOf('=');
  const multiplier = parseDecimal(text.slice(split + 1));
  if (split < 1 || !multiplier || multiplier.units <= 0n)
    throw new InvalidArgumentError('Write METER=N with N above zero, as in 4-new=15.');
  return new Map([...before, [text.slice(0, split), multiplier]]);
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
export function describeFaults(faults: readonly Fault[]): string {
  const lines = faults.slice(0, MOST_FAULTS).map(({ source, row, field, message }) => {
    const place = [FILES[source], row !== undefined && `row ${row}`, field].filter(Boolean).join(', ');
    return `${place}: ${message}`;
  });
  if (faults.length > MOST_FAULTS) lines.push(`... and ${faults.length - MOST_FAULTS} more`);
  return lines.join('\n');
}
