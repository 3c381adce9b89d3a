import { type Fault, isDate, isTimeZone, parseInstant, startOfDate } from '../metering/index.ts';
import { isObject, type Json } from './json.ts';
import { readAllocation, readTariff } from './read-tariff.ts';
import { complete, createReader, type Reader, type ReadInstant } from './reader.ts';
import type { Scenario } from './scenario.ts';

/** The parts of a scenario that could be read. A part with a fault is missing, so that the others can still be checked. */
export type ScenarioParts = { readonly [K in keyof Scenario]: Scenario[K] | undefined };

/** Minutes that an interval may last: whole parts of an hour, so that clock changes fall on boundaries. */
const INTERVAL_MINUTES = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60];

/** Checks every field by itself; how the fields fit together is for checkScenario. */
export function readScenario(json: Json): {
  readonly parts: ScenarioParts | undefined;
  readonly faults: Fault[];
} {
  const faults: Fault[] = [];
  if (!isObject(json)) {
    return { parts: undefined, faults: [{ source: 'scenario', message: 'must be a JSON object' }] };
  }
  const reader = createReader(json, '', faults);
  const site = readSite(reader);
  // Without a zone the other fields are still worth checking; nothing is computed from them then.
  const timezone = site?.timezone ?? 'UTC';
  const instant: ReadInstant = (from, key) => readInstant(from, key, timezone);
  const days = readHolidays(reader);
  const parts: ScenarioParts = {
    siteName: site?.siteName,
    currency: site?.currency,
    calendar: site && days && { timezone: site.timezone, ...days },
    period: readPeriod(reader, timezone),
    usagePoints: reader.objects('usage_points', readUsagePoint),
    meters: reader.objects('meters', readMeter),
    installations: reader.objects('installations', (item) => readInstallation(item, instant)),
    spaces: reader.objects('spaces', (item) =>
      complete({ id: item.text('id'), area: item.decimal('rentable_area_m2', 'not-negative') }),
    ),
    leases: reader.objects('leases', (item) => readLease(item, instant)),
    landlord: reader.text('landlord'),
    participants: reader.texts('participant_order'),
    tariff: readTariff(reader, instant),
    allocation: reader.objects('allocation', readAllocation),
  };
  return { parts, faults };
}

function readSite(reader: Reader): { siteName: string; timezone: string; currency: string } | undefined {
  const site = reader.object('site');
  if (!site) return undefined;
  const timezone = site.text('timezone');
  const known = timezone === undefined || isTimeZone(timezone);
  return complete({
    siteName: site.optional('name', () => site.text('name')) ?? '',
    currency: site.optional('currency', () => site.text('currency')) ?? '',
    timezone: known ? timezone : site.fault('timezone', `is no time zone of the IANA list: ${timezone}`),
  });
}

function readPeriod(reader: Reader, timezone: string): Scenario['period'] | undefined {
  const period = reader.object('period');
  if (!period) return undefined;
  const minutes = period.integer('interval_minutes', 1, 60);
  if (minutes !== undefined && !INTERVAL_MINUTES.includes(minutes))
    period.fault('interval_minutes', `must divide an hour, not ${minutes}`);
  const dates = complete({ from: period.date('from'), to: period.date('to') });
  if (!dates || minutes === undefined || !INTERVAL_MINUTES.includes(minutes)) return undefined;
  if (dates.from >= dates.to) return period.fault('to', `must be after ${dates.from}`);
  const [start, end] = [startOfDate(dates.from, timezone), startOfDate(dates.to, timezone)];
  if (end - start > 400 * 86_400_000) return period.fault('to', 'is more than 400 days after the start');
  return { ...dates, start, end, intervalMs: minutes * 60_000 };
}

/** Holidays and the weekends worked for them. */
export function readHolidays(
  reader: Reader,
): { holidays: Set<string>; adjustedWorkdays: Set<string> } | undefined {
  const wrong = (text: string): string | undefined =>
    isDate(text) ? undefined : `must be a date YYYY-MM-DD, not ${text}`;
  const holidays = reader.texts('holidays', wrong);
  const adjusted = reader.optional('adjusted_workdays', () => reader.texts('adjusted_workdays', wrong));
  if (!holidays || adjusted === undefined) return undefined;
  const both = adjusted?.find((date) => holidays.includes(date));
  if (both) return reader.fault('adjusted_workdays', `${both} is in holidays too`);
  return { holidays: new Set(holidays), adjustedWorkdays: new Set(adjusted) };
}

function readUsagePoint(item: Reader): Scenario['usagePoints'][number] | undefined {
  const role = item.choice('role', ['supply', 'direct', 'common']);
  return complete({
    id: item.text('id'),
    role,
    parent: role === undefined || role === 'supply' ? null : item.text('parent'),
    space: role === 'direct' ? item.text('space') : null,
  });
}

function readMeter(item: Reader): Scenario['meters'][number] | undefined {
  return complete({
    id: item.text('id'),
    digits: item.integer('digits', 1, 18),
    decimals: item.integer('decimals', 0, 9),
  });
}

function readInstallation(item: Reader, instant: ReadInstant): Scenario['installations'][number] | undefined {
  const read = complete({
    meter: item.text('meter'),
    usagePoint: item.text('usage_point'),
    multiplier: item.decimal('multiplier', 'positive'),
    maxCountsPerInterval: item.integer('max_counts_per_interval', 1, 1e15),
    from: instant(item, 'from'),
    to: item.optional('to', () => instant(item, 'to')),
    startIndex: item.optional('start_index', () => item.decimal('start_index', 'not-negative')),
    finalIndex: item.optional('final_index', () => item.decimal('final_index', 'not-negative')),
    direction: item.optional('direction', () => item.choice('direction', ['import', 'export'])),
  });
  if (!read || !isAfter(item, read)) return undefined;
  if (read.finalIndex && read.to === null)
    return item.fault('final_index', 'needs the instant of removal in "to"');
  return { ...read, direction: read.direction ?? 'import' };
}

function readLease(item: Reader, instant: ReadInstant): Scenario['leases'][number] | undefined {
  const read = complete({
    tenant: item.text('tenant'),
    space: item.text('space'),
    headcount: item.integer('headcount', 0, 1e9),
    from: instant(item, 'from'),
    to: item.optional('to', () => instant(item, 'to')),
  });
  return read && isAfter(item, read) ? read : undefined;
}

function isAfter(item: Reader, { from, to }: { from: number; to: number | null }): boolean {
  if (to !== null && to <= from) item.fault('to', 'must be after "from"');
  return to === null || to > from;
}

/** A date, or an instant that exists once in the zone. */
export function readInstant(reader: Reader, key: string, timezone: string): number | undefined {
  const text = reader.text(key);
  if (text === undefined) return undefined;
  const at = parseInstant(text, timezone);
  return at ?? reader.fault(key, `must be a date or an instant that exists once in ${timezone}, not ${text}`);
}
