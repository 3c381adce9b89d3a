import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Real hourly loads by column name, kWh in the hour; whole weeks, see data/README.md. */
export type HourlyData = ReadonlyMap<string, Float64Array>;

const WEEK_HOURS = 7 * 24;
const WEEKS = 104;

export const dataFile = join(import.meta.dirname, '../../data/cambridge_2021_2022.csv.gz');

/** Reads the file once at start; electricity outages come out filled. */
export function readHourlyData(path = dataFile): HourlyData {
  const [head = '', ...lines] = gunzipSync(readFileSync(path)).toString('utf8').trimEnd().split('\n');
  const names = head.split(',').slice(1);
  const count = WEEKS * WEEK_HOURS;
  const columns = names.map(() => new Float64Array(count));
  lines.slice(0, count).forEach((line, hour) => {
    const cells = line.split(',');
    columns.forEach((column, index) => {
      column[hour] = Number(cells[index + 1]);
    });
  });
  return new Map(
    names.map((name, i) => [name, name.startsWith('gas-') ? columns[i]! : fillOutages(columns[i]!)]),
  );
}

/** The source wrote 0 for a missing reading. A building never draws nothing, so such an hour becomes that of the week before. */
export function fillOutages(hours: Float64Array): Float64Array {
  const filled = Float64Array.from(hours);
  for (let pass = 0; pass < 2; pass += 1) {
    filled.forEach((value, hour) => {
      const weekBefore = (hour + filled.length - WEEK_HOURS) % filled.length;
      if (value === 0) filled[hour] = filled[weekBefore]!; // The second pass reaches a first week that was out.
    });
  }
  return filled;
}
