import Papa from 'papaparse';
import {
  type Fault,
  formatLocal,
  parseDecimal,
  parseInstant,
  type Reading,
  toUnits,
} from '../metering/index.ts';
import { describeDisplay } from './check-installations.ts';
import type { ScenarioParts } from './read-scenario.ts';
import type { Installed, Meter } from './scenario.ts';

const DAY_MS = 86_400_000;
/** Readings may begin this long before the period (they show what a like day uses) and end this long after it. */
const BEFORE_MS = 31 * DAY_MS;
const AFTER_MS = DAY_MS;

const COLUMNS = ['meter', 'ts', 'register'] as const;

/** Registers by meter, ascending in time, each instant once. */
export type ReadingsByMeter = ReadonlyMap<string, readonly Reading[]>;

interface Row {
  readonly row: number;
  readonly meter: string;
  readonly ts: string;
  readonly register: string;
}

/**
 * Reads `meter,ts,register` rows in any order, checked against as much of the scenario as could be read.
 * The same reading twice is one; two different registers of one instant are a fault.
 */
export function readReadings(
  csv: string,
  parts: ScenarioParts | undefined,
): { readonly readings: ReadingsByMeter; readonly faults: Fault[] } {
  const { rows, faults } = readRows(csv);
  const instantOf = createInstantReader(parts?.calendar?.timezone ?? 'UTC');
  const meters = parts?.meters && new Map(parts.meters.map((meter) => [meter.id, meter]));
  const installed = parts?.installations && Map.groupBy(parts.installations, ({ meter }) => meter);
  const byMeter = new Map<string, Map<number, Reading>>();
  for (const row of rows) {
    const fault = (field: string, message: string): void => {
      faults.push({ source: 'readings', row: row.row, field, message });
    };
    const meter = meters?.get(row.meter);
    if (meters && !meter) fault('meter', `no meter ${row.meter || '(empty)'} in the scenario`);
    const at = instantOf(row.ts);
    if (at === undefined) fault('ts', `is no instant: ${row.ts || '(empty)'}`);
    const counts = readCounts(row.register, meter, (message) => fault('register', message));
    if (at === undefined || counts === undefined || !meter) continue;
    const misplaced = findMisplaced(at, meter, installed?.get(row.meter) ?? [], parts);
    if (misplaced) {
      fault('ts', misplaced);
      continue;
    }
    const ofMeter = byMeter.get(row.meter) ?? new Map<number, Reading>();
    byMeter.set(row.meter, ofMeter);
    const same = ofMeter.get(at);
    if (same && same.counts !== counts)
      fault('register', `differs from line ${same.row}, same meter and instant`);
    ofMeter.set(at, same ?? { at, counts, row: row.row });
  }
  const readings = new Map(
    [...byMeter].map(([meter, found]) => [meter, [...found.values()].sort((a, b) => a.at - b.at)]),
  );
  return { readings, faults };
}

function readRows(csv: string): { rows: Row[]; faults: Fault[] } {
  const { data } = Papa.parse<string[]>(csv.replace(/^\uFEFF/, '').trimEnd(), { delimiter: ',' });
  const header = (data[0] ?? []).map((name) => name.trim());
  const missing = COLUMNS.filter((name) => !header.includes(name));
  if (missing.length > 0)
    return {
      rows: [],
      faults: missing.map((field) => ({ source: 'readings', row: 1, field, message: 'column is missing' })),
    };
  const [meter, ts, register] = COLUMNS.map((name) => header.indexOf(name)) as [number, number, number];
  const faults: Fault[] = [];
  const rows = data.slice(1).flatMap((cells, index): Row[] => {
    const row = index + 2;
    if (cells.length === 1 && cells[0]!.trim() === '') return [];
    if (cells.length === header.length)
      return [{ row, meter: cells[meter]!.trim(), ts: cells[ts]!.trim(), register: cells[register]!.trim() }];
    faults.push({ source: 'readings', row, message: `has ${cells.length} columns, not ${header.length}` });
    return [];
  });
  return { rows, faults };
}

/** All meters are read at the same instants, so each text is parsed once. */
function createInstantReader(timezone: string): (text: string) => number | undefined {
  const known = new Map<string, number | undefined>();
  return (text) => {
    if (!known.has(text)) known.set(text, text.includes('T') ? parseInstant(text, timezone) : undefined);
    return known.get(text);
  };
}

function readCounts(
  text: string,
  meter: Meter | undefined,
  fault: (message: string) => void,
): bigint | undefined {
  const decimal = parseDecimal(text);
  if (!decimal) {
    fault(`is no number: ${text || '(empty)'}`);
    return undefined;
  }
  if (!meter) return undefined;
  const counts = toUnits(decimal, meter.decimals);
  if (counts !== undefined && counts >= 0n && counts < 10n ** BigInt(meter.digits + meter.decimals))
    return counts;
  fault(`${text} does not fit the display of meter ${meter.id}: ${describeDisplay(meter)}`);
  return undefined;
}

function findMisplaced(
  at: number,
  meter: Meter,
  installations: readonly Installed[],
  parts: ScenarioParts | undefined,
): string | undefined {
  const { period, calendar } = parts ?? {};
  if (period && (at < period.start - BEFORE_MS || at > period.end + AFTER_MS))
    return `is too far from the period ${period.from} to ${period.to}`;
  if (!parts?.installations || !calendar) return undefined;
  if (installations.some(({ from, to }) => at >= from && at <= (to ?? Infinity))) return undefined;
  return `meter ${meter.id} is not installed at ${formatLocal(at, calendar.timezone)}`;
}
