import {
  addDays,
  type Calendar,
  type Checked,
  createGrid,
  type Fault,
  localAt,
  startOfDate,
} from '../metering/index.ts';
import { scenarioFault } from './faults.ts';
import { isObject, type Json } from './json.ts';
import { readHolidays, readInstant } from './read-scenario.ts';
import { readTariff } from './read-tariff.ts';
import { createReader } from './reader.ts';
import type { Tariff } from './scenario.ts';
import { createSchedule, type Rate } from './schedule.ts';

/** A tariff with the calendar that its bands speak of. */
export interface TariffPlan {
  readonly calendar: Calendar;
  readonly tariff: Tariff;
}

/** What holds from a local day (YYYY-MM-DD) until the next one of its kind. */
export interface DatedPlan extends TariffPlan {
  readonly from: string;
}

const QUARTER_MS = 900_000;

/** Reads `{holidays, adjusted_workdays?, tariff}` as a scenario has them. */
export function readPlan(json: Json, timezone: string): Checked<TariffPlan> {
  const faults: Fault[] = [];
  if (!isObject(json))
    return { ok: false, faults: [{ source: 'scenario', message: 'must be a JSON object' }] };
  const reader = createReader(json, '', faults);
  const days = readHolidays(reader);
  const tariff = readTariff(reader, (item, key) => readInstant(item, key, timezone));
  return days && tariff
    ? { ok: true, value: { calendar: { timezone, ...days }, tariff } }
    : { ok: false, faults };
}

/** Sees that every quarter hour of the year after a local day has a band and a price. */
export function checkPlan(plan: TariffPlan, from: string): readonly Fault[] {
  const { timezone } = plan.calendar;
  if ((plan.tariff.versions[0]?.from ?? Infinity) <= startOfDate(from, timezone))
    return ratesOf(plan, from, addDays(from, 366)).faults;
  return [scenarioFault('tariff.versions', `has no prices on ${from}`)];
}

/** The price of a quarter hour, by where it starts (Unix ms); undefined before the first plan and outside the span. */
export type PriceAt = (start: number) => Rate | undefined;

/** Lays out the prices of [from, to) (Unix ms). `plans` by ascending `from`, all of one time zone. */
export function createPriceList(plans: readonly DatedPlan[], from: number, to: number): PriceAt {
  const parts = plans.flatMap((plan, index) => {
    const { timezone } = plan.calendar;
    const first = later(plan.from, localAt(from, timezone).date);
    const end = addDays(localAt(to - 1, timezone).date, 1);
    const last = earlier(plans[index + 1]?.from ?? end, end);
    if (first >= last) return [];
    const { rates, faults } = ratesOf(plan, first, last);
    // Plans were checked when they were stored.
    if (faults.length > 0) throw new Error(`tariff from ${plan.from}: ${faults[0]!.message}`);
    return [{ start: startOfDate(first, timezone), rates }];
  });
  return (start) => {
    const part = parts.findLast((one) => one.start <= start);
    return part?.rates[Math.floor((start - part.start) / QUARTER_MS)];
  };
}

/** One rate a quarter hour of the local dates [from, to). */
function ratesOf({ calendar, tariff }: TariffPlan, from: string, to: string) {
  const grid = createGrid(from, to, QUARTER_MS, calendar);
  return createSchedule(tariff, grid, { first: 0, last: grid.count });
}

const later = (a: string, b: string): string => (a > b ? a : b);
const earlier = (a: string, b: string): string => (a < b ? a : b);
