import { createHint, type MeterRegister } from './import-meters.ts';
import type { Faults } from './import-parse.ts';
import { createRows, flag, type Rows, toCounts } from './sample.ts';

/** The readings of a file, with the row each came from. */
export interface ImportedRows {
  readonly blocks: readonly Rows[];
  /** Row of the file, by the position of the reading. */
  readonly rowOf: readonly number[];
}

const BLOCK_ROWS = 10_000;
const QUARTER_MS = 900_000;
const HOUR_MS = 3_600_000;
const EARLIEST = Date.UTC(2000, 0, 1);
/** Far above any meter, far below where sums of it would lose digits. */
const MOST_ENERGY = 1e9;

/** Collects readings in the shape they are written in. */
export function createGatherer(simulated: boolean) {
  const blocks: Rows[] = [];
  const rowOf: number[] = [];
  let block = createRows(BLOCK_ROWS);
  let used = 0;
  const flags = flag.imported | (simulated ? flag.simulated : 0);

  function close(): void {
    if (used > 0) blocks.push({ ...block, length: used });
    block = createRows(BLOCK_ROWS);
    used = 0;
  }

  return {
    add(row: number, num: number, at: number, counts: number): void {
      block.num[used] = num;
      block.at[used] = at;
      block.value[used] = counts;
      block.flags[used] = flags | (at % QUARTER_MS === 0 ? flag.boundary : 0);
      used += 1;
      rowOf.push(row);
      if (used === BLOCK_ROWS) close();
    },
    end(): ImportedRows {
      close();
      return { blocks, rowOf };
    },
  };
}
type Gatherer = ReturnType<typeof createGatherer>;

export interface ReadDeps {
  readonly faults: Faults;
  readonly gather: Gatherer;
  readonly now: Date;
}

/** Why a time cannot be stored, or undefined. */
const badTime = (at: number, now: Date): string | undefined => {
  if (Number.isNaN(at)) return 'is no date and time';
  if (at < EARLIEST) return 'is before the year 2000';
  return at > now.getTime() + 60_000 ? 'is in the future' : undefined;
};

/** Unix ms, NaN for a day that is not in the calendar: `Date.parse` would make the 30th of February a day in March. */
function parseInstant(text: string): number {
  const [year = NaN, month = NaN, day = NaN] = text.slice(0, 10).split('-').map(Number);
  return day > new Date(Date.UTC(year, month, 0)).getUTCDate() ? NaN : Date.parse(text);
}

const INSTANT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;
const NUMBER = /^-?\d+(\.\d+)?$/;

/** Whole counts of what a register showed, or why they cannot be. */
function countsShown(shown: string, resolution: number): number | string {
  if (shown === '') return 'is missing';
  if (!NUMBER.test(shown)) return `is no number: ${shown}`;
  if (shown.startsWith('-')) return `is negative: ${shown}`;
  if (Number(shown) / resolution > Number.MAX_SAFE_INTEGER)
    return `is more than a register can show: ${shown}`;
  return toCounts(Number(shown), resolution) ?? `is not a whole number of steps of ${resolution}: ${shown}`;
}

/** Why a cell is no energy of an hour, or undefined. */
function badEnergy(cell: string): string | undefined {
  if (!NUMBER.test(cell)) return `is no number: ${cell}`;
  if (cell.startsWith('-')) return `is negative: ${cell}`;
  return Number(cell) > MOST_ENERGY ? `is more than a meter can measure in an hour: ${cell}` : undefined;
}

/** Rows `meter,ts,register`: what the register showed at an instant. */
export function readRegisters(
  header: readonly string[],
  meters: ReadonlyMap<string, MeterRegister>,
  { faults, gather, now }: ReadDeps,
): (cells: readonly string[], row: number) => void {
  const column = {
    meter: header.indexOf('meter'),
    ts: header.indexOf('ts'),
    register: header.indexOf('register'),
  };
  const hintFor = createHint(meters.keys());
  return (cells, row) => {
    if (cells.length !== header.length)
      return faults.add(row, 'row', `has ${cells.length} cells, not ${header.length}`);
    const [key, ts, shown] = [cells[column.meter]!, cells[column.ts]!, cells[column.register]!];
    const meter = meters.get(key);
    if (!meter) return faults.add(row, 'meter', key ? `is not known: ${key}; ${hintFor(key)}` : 'is missing');
    if (ts === '') return faults.add(row, 'ts', 'is missing');
    const at = parseInstant(ts);
    const fault = INSTANT.test(ts) ? badTime(at, now) : 'is no ISO 8601 instant with an offset';
    if (fault) return faults.add(row, 'ts', `${fault}: ${ts}`);
    const counts = countsShown(shown, meter.resolution);
    if (typeof counts === 'string') return faults.add(row, 'register', counts);
    gather.add(row, meter.num, at, counts);
  };
}

/**
 * Rows `datetime_utc` + one column a meter: energy of the hour that begins then. It becomes counts from zero: what the
 * meter showed before is added later, when the first time of each meter is known. An empty cell is an hour without a reading at its end, not an hour without use.
 * After a cell or row that cannot be read no sum is known, so the readings of its meters end there; the rest is still checked.
 */
export function readIntervals(
  header: readonly string[],
  meters: ReadonlyMap<string, MeterRegister>,
  { faults, gather, now }: ReadDeps,
): (cells: readonly string[], row: number) => void {
  const columns = header
    .slice(1)
    .map((key) => ({ key, meter: meters.get(key), used: 0, begun: false, broken: false }));
  const hintFor = createHint(meters.keys());
  for (const { key, meter } of columns) if (!meter) faults.add(1, key, `is no known meter; ${hintFor(key)}`);
  const failRow = (row: number, field: string, reason: string): void => {
    for (const column of columns) column.broken = true;
    faults.add(row, field, reason);
  };
  let last = -Infinity;
  return (cells, row) => {
    if (cells.length !== header.length)
      return failRow(row, 'row', `has ${cells.length} cells, not ${header.length}`);
    const text = cells[0]!;
    const at = parseUtc(text);
    const fault =
      badTime(at + HOUR_MS, now) ??
      (at >= last + HOUR_MS ? undefined : 'is not an hour or more after the row before');
    if (fault) return failRow(row, 'datetime_utc', `${fault}: ${text}`);
    last = at;
    columns.forEach((column, i) => {
      const { key, meter } = column;
      const cell = cells[i + 1]!;
      if (!meter || cell === '') return;
      const reason = badEnergy(cell);
      column.broken ||= reason !== undefined;
      if (reason) faults.add(row, key, reason);
      if (column.broken) return;
      if (!column.begun) gather.add(row, meter.num, at, 0);
      column.begun = true;
      column.used = Number((column.used + Number(cell)).toPrecision(15));
      // Rounded once from the sum, so that hours do not add up their rounding.
      gather.add(row, meter.num, at + HOUR_MS, Math.round(column.used / meter.resolution));
    });
  };
}

/** `2019-01-01 00:00:00`, also with T and Z; NaN when it is something else. */
export function parseUtc(text: string): number {
  const match = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)Z?$/.exec(text);
  return match ? parseInstant(`${match[1]}T${match[2]}Z`) : NaN;
}
