import {
  type DayType,
  type Decimal,
  type Fault,
  formatLocal,
  type Grid,
  type Span,
  startOf,
} from '../metering/index.ts';
import { scenarioFault } from './faults.ts';
import type { BandRule, Tariff } from './scenario.ts';

/** What energy costs in an interval: one price of one version of the tariff. */
export interface Rate {
  readonly version: string;
  readonly band: string;
  readonly price: Decimal;
}

/**
 * The rate of every interval of `span`, by where it starts. Equal rates are the same object.
 * A time without a band or a price is a fault, told once.
 */
export function createSchedule(
  tariff: Tariff,
  grid: Grid,
  { first, last }: Span,
): { readonly rates: readonly Rate[]; readonly faults: Fault[] } {
  const bandAt = createBandTable(tariff.bands);
  const known = new Map<string, Rate>();
  const faults = new Map<string, Fault>();
  const rates: Rate[] = [];
  let version = 0;
  for (let k = first; k < last; k += 1) {
    const start = startOf(grid, k);
    while ((tariff.versions[version + 1]?.from ?? Infinity) <= start) version += 1;
    const { id, prices } = tariff.versions[version]!;
    const { date, type } = grid.days[grid.dayOf[k]!]!;
    const band = bandAt(type, Number(date.slice(5, 7)), grid.minuteOf[k]!);
    const price = band === undefined ? undefined : prices.get(band);
    if (band === undefined) {
      const message = `no band for a ${type}, first at ${formatLocal(start, grid.timezone)}`;
      if (!faults.has(type)) faults.set(type, scenarioFault('tariff.bands', message));
    } else if (price === undefined) {
      faults.set(`${id} ${band}`, scenarioFault('tariff.versions', `${id} has no price for band ${band}`));
    } else {
      const key = `${version} ${band}`;
      const rate = known.get(key) ?? { version: id, band, price };
      known.set(key, rate);
      rates.push(rate);
    }
  }
  return { rates, faults: [...faults.values()] };
}

/** The band of a local minute (0..1439); undefined where no rule matches. */
export type BandAt = (type: DayType, month: number, minute: number) => string | undefined;

/** Lays the rules out minute by minute, once per type of day and month that is asked for. */
export function createBandTable(rules: readonly BandRule[]): BandAt {
  const tables = new Map<string, (string | undefined)[]>();
  return (type, month, minute) => {
    const key = `${type} ${month}`;
    const table = tables.get(key) ?? layOut(rules, type, month);
    tables.set(key, table);
    return table[minute];
  };
}

function layOut(rules: readonly BandRule[], type: DayType, month: number): (string | undefined)[] {
  const valid = rules.filter(
    ({ days, months }) => days.includes(type) && (months.length === 0 || months.includes(month)),
  );
  return Array.from({ length: 1440 }, (_, minute) => valid.find((rule) => contains(rule, minute))?.band);
}

/** From >= to runs over midnight, judged by the date of the minute itself; equal limits are the whole day. */
function contains({ from, to }: BandRule, minute: number): boolean {
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}
