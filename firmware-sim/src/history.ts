import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { Command } from 'commander';
import { countsOf } from './device.ts';
import { readDeviceTable, type TableRow } from './device-table.ts';
import { createMeters } from './meters.ts';
import { readHourlyData } from './models/hourly-data.ts';
import { readPark } from './park.ts';
import { rollover } from './words.ts';

export interface HistoryOptions {
  readonly park: string;
  readonly seed: number;
  /** Calendar months (UTC) before `until`. */
  readonly months: number;
  /** Unix ms; the last row is at the last whole step before or at it. */
  readonly until: number;
  readonly stepMinutes: number;
}

/** Rows are handed over in chunks of about this many characters. */
const CHUNK = 256 * 1024;

/** The registers as they stood at each step, as csv `meter,ts,register`: what the live simulator would have shown then. */
export function* history(options: HistoryOptions): Generator<string> {
  const park = readPark(options.park);
  const meters = createMeters(park, readHourlyData(), options.seed);
  const stepMs = options.stepMinutes * 60_000;
  const last = Math.floor(options.until / stepMs) * stepMs;
  const first = monthsBefore(last, options.months);
  const stamps: string[] = [];
  for (let t = first; t <= last; t += stepMs) stamps.push(new Date(t).toISOString());

  let chunk = 'meter,ts,register\n';
  for (const { key, template } of park.meters) {
    const counter = readDeviceTable(template).rows.find((row) => row.counter);
    if (!counter) continue;
    const read = meters.get(key)!.get(counter.quantity)!;
    const show = shownBy(counter);
    for (const [index, stamp] of stamps.entries()) {
      chunk += `${key},${stamp},${show(read(first + index * stepMs))}\n`;
      if (chunk.length < CHUNK) continue;
      yield chunk;
      chunk = '';
    }
  }
  yield chunk;
}

/** The register's text: whole counts of its step, as the device cuts and rolls them over. */
function shownBy({ as, step }: TableRow): (value: number) => string {
  const limit = Number(rollover(as) ?? Infinity);
  const decimals = Math.max(0, Math.ceil(-Math.log10(step)));
  return (value) => ((countsOf(value, step) % limit) * step).toFixed(decimals);
}

function monthsBefore(t: number, months: number): number {
  const date = new Date(t);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() - months);
  const daysThere = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, daysThere));
  return date.getTime();
}

async function writeHistory(chunks: Iterable<string>, out: WriteStream): Promise<void> {
  for (const chunk of chunks) if (!out.write(chunk)) await once(out, 'drain');
  out.end();
  await finished(out);
}

if (import.meta.main) {
  const given = new Command('history')
    .description('write the registers of a park as they stood in the past')
    .requiredOption('--park <file>', 'park file')
    .requiredOption('--out <file>', 'csv: meter,ts,register')
    .option('--months <number>', 'calendar months back', '13')
    .option('--until <instant>', 'ISO 8601', new Date().toISOString())
    .option('--step <minutes>', 'minutes between two rows', '15')
    .option('--seed <number>', 'seed of the noise; the same as the live simulator has', '1')
    .parse()
    .opts<{ park: string; out: string; months: string; until: string; step: string; seed: string }>();
  const until = Date.parse(given.until);
  if (Number.isNaN(until)) throw new Error(`--until ${given.until} is no instant`);
  const options = { park: given.park, seed: Number(given.seed), months: Number(given.months), until };
  await writeHistory(history({ ...options, stepMinutes: Number(given.step) }), createWriteStream(given.out));
}
