import type { Pool } from 'pg';
import { newId } from '../platform/ids.ts';
import { type Calendar, createGrid, type Grid } from './calendar.ts';
import type { Installation, Reading } from './registers.ts';
import { createSeries, type Series } from './series.ts';

export const HOUR = 3_600_000;
export const calendar: Calendar = { timezone: 'UTC', holidays: new Set(), adjustedWorkdays: new Set() };
/** Monday to Friday, hour by hour. */
export const week = createGrid('2026-06-01', '2026-06-06', HOUR, calendar);
export const all = { first: 0, last: week.count };

export const at = (hour: number, ms = 0): number => week.start + hour * HOUR + ms;
export const installed = (over: Partial<Installation> = {}): Installation => ({
  meterId: 'm',
  field: 'installations[0]',
  from: week.start,
  to: null,
  decimals: 1,
  modulus: 10_000n,
  energyPerCount: 10n,
  maxCountsPerInterval: 100n,
  ...over,
});

/** Registers at each full hour, starting at `start`, with `counts(hour)` flowing in each. */
export function readHourly(
  counts: (hour: number) => number,
  start = 0,
  grid: Grid = week,
  modulus = 10_000,
): Reading[] {
  const readings: Reading[] = [];
  for (let hour = 0, total = start; hour <= grid.count; total += counts(hour), hour += 1)
    readings.push({ at: at(hour), counts: BigInt(total % modulus), row: hour + 2 });
  return readings;
}

export const without = (readings: readonly Reading[], ...hours: number[]): Reading[] =>
  readings.filter((reading) => !hours.some((hour) => reading.at === at(hour)));

export function series(readings: readonly Reading[], installation = installed()): Series {
  const result = createSeries([installation], () => readings, week, all);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.value;
}

export function faultsOf(readings: readonly Reading[], ...installations: Installation[]): string[] {
  const result = createSeries(installations, () => readings, week, all);
  return result.ok
    ? []
    : result.faults.map(({ field, row, message }) => `${field ?? ''} ${row ?? ''} ${message}`);
}

export const flagged = ({ quality, rule, energy }: Series): unknown[] =>
  rule.flatMap((text, hour) => (text ? [[hour, energy[hour], quality[hour], text]] : []));

const name = { en: 'Name', zh: '名称' };

/** A unit on the ground floor of a building. `owner` is not bound by policies. */
export async function givenSpace(owner: Pool, accountId: string, buildingId: string): Promise<string> {
  const [floorId, id] = [newId(), newId()];
  await owner.query(
    `insert into floor (id, account_id, building_id, key, name, level) values ($1, $2, $3, $4, $5, 0)`,
    [floorId, accountId, buildingId, `f-${floorId}`, name],
  );
  await owner.query(
    `insert into space (id, account_id, building_id, floor_id, key, name, kind) values ($1, $2, $3, $4, $5, $6, 'unit')`,
    [id, accountId, buildingId, floorId, `s-${id}`, name],
  );
  await owner.query(
    `insert into space_area (account_id, space_id, from_date, area_m2) values ($1, $2, '-infinity', 100)`,
    [accountId, id],
  );
  return id;
}

export async function givenTenant(owner: Pool, accountId: string): Promise<string> {
  const id = newId();
  await owner.query('insert into tenant (id, account_id, key, name) values ($1, $2, $3, $4)', [
    id,
    accountId,
    `t-${id}`,
    name,
  ]);
  return id;
}

/** Dates are local days of the site; `to` is exclusive, null without an end. */
export async function givenLease(
  owner: Pool,
  accountId: string,
  lease: { tenant: string; space: string; from: string; to: string | null },
): Promise<void> {
  const id = newId();
  await owner.query(
    'insert into lease (id, account_id, tenant_id, key, from_date, to_date) values ($1, $2, $3, $4, $5, $6)',
    [id, accountId, lease.tenant, `l-${id}`, lease.from, lease.to],
  );
  await owner.query(
    `insert into lease_space (account_id, lease_id, tenant_id, space_id) values ($1, $2, $3, $4)`,
    [accountId, id, lease.tenant, lease.space],
  );
}

/** A usage point without a meter. */
export async function givenUsagePoint(
  owner: Pool,
  accountId: string,
  spaceId: string,
  commodity = 'electricity',
): Promise<string> {
  const id = newId();
  await owner.query(
    `insert into usage_point (id, account_id, key, name, commodity, unit, space_id)
     values ($1, $2, $3, $4, $5, 'kWh', $6)`,
    [id, accountId, `u-${id}`, name, commodity, spaceId],
  );
  return id;
}

export interface TestInstallation {
  readonly multiplier?: string;
  readonly from?: string;
  readonly to?: string;
  readonly startCounts?: number;
  readonly finalCounts?: number;
}

/** Hangs the register `pointId` at a usage point. */
export async function givenInstallation(
  owner: Pool,
  accountId: string,
  usagePointId: string,
  pointId: string,
  { multiplier = '1', from, to, startCounts, finalCounts }: TestInstallation = {},
): Promise<void> {
  await owner.query(
    `insert into meter_installation
       (id, account_id, usage_point_id, point_id, multiplier, from_at, to_at, start_counts, final_counts)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [newId(), accountId, usagePointId, pointId, multiplier, from, to, startCounts, finalCounts],
  );
}
