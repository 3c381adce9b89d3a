import { type SimulationInput, simulate } from './simulate.ts';
import { parseJson } from './json.ts';
import { presentRun, type RunJson } from './present.ts';

/** A scenario as its file would hold it, open for a test to bend. */
export type ScenarioFile = ReturnType<typeof createScenarioFile>;

/**
 * A house of two units and a common meter, one day in UTC, hour by hour: A in 101, B in 102, landlord L.
 * One count is 1 kWh, one price of 1.00.
 */
export function createScenarioFile() {
  const installed = (meter: string, usagePoint: string): Record<string, unknown> => ({
    meter,
    usage_point: usagePoint,
    multiplier: 1,
    max_counts_per_interval: 1000,
    from: '2026-06-01T00:00:00Z',
    to: null,
  });
  return {
    site: { id: 's', name: 'Test', timezone: 'UTC', currency: 'CNY' } as Record<string, unknown>,
    period: { from: '2026-06-01', to: '2026-06-02', interval_minutes: 60 } as Record<string, unknown>,
    holidays: [] as unknown[],
    usage_points: [
      { id: 'supply', role: 'supply' },
      { id: 'a', role: 'direct', parent: 'supply', space: '101' },
      { id: 'b', role: 'direct', parent: 'supply', space: '102' },
      { id: 'light', role: 'common', parent: 'supply' },
    ] as Record<string, unknown>[],
    meters: ['0', '1', '2', '3'].map((id): Record<string, unknown> => ({ id, digits: 6, decimals: 0 })),
    installations: [
      installed('0', 'supply'),
      installed('1', 'a'),
      installed('2', 'b'),
      installed('3', 'light'),
    ],
    spaces: [
      { id: '101', rentable_area_m2: 100 },
      { id: '102', rentable_area_m2: 300 },
    ] as Record<string, unknown>[],
    landlord: 'L' as unknown,
    leases: [
      { tenant: 'A', space: '101', headcount: 3, from: '2026-01-01', to: null },
      { tenant: 'B', space: '102', headcount: 1, from: '2026-01-01', to: null },
    ] as Record<string, unknown>[],
    tariff: {
      vat_rate: '0.13',
      versions: [{ id: 'v1', from: '2026-06-01', prices: { flat: '1.00' } }],
      bands: [{ band: 'flat', days: 'all', from: '00:00', to: '24:00' }],
    } as Record<string, unknown>,
    allocation: [
      { pool: 'light', basis: 'area_days' },
      { pool: 'loss', basis: 'direct_kwh' },
    ] as Record<string, unknown>[],
    participant_order: ['A', 'B', 'L'] as unknown[],
  };
}

/** Hourly registers of one UTC day from 0; `flow` gives the counts of each hour by meter. */
export function createReadings(
  flow: Readonly<Record<string, number | ((hour: number) => number)>>,
  hours = 24,
): string[] {
  return Object.entries(flow).flatMap(([meter, counts]) => {
    let total = 0;
    return Array.from({ length: hours + 1 }, (_, hour) => {
      const ts = new Date(Date.UTC(2026, 5, 1, hour)).toISOString();
      const row = `${meter},${ts},${total}`;
      total += typeof counts === 'number' ? counts : counts(hour);
      return row;
    });
  });
}

/** 20 kWh an hour in: 5 to A, 10 to B, 4 to the light, 1 lost. */
export const PLAIN_FLOW = { '0': 20, '1': 5, '2': 10, '3': 4 };

export function inputOf(file: unknown, rows: readonly string[]): SimulationInput {
  return {
    scenario: parseJson(JSON.stringify(file)),
    readings: ['meter,ts,register', ...rows].join('\n'),
    multipliers: new Map(),
  };
}

/** @throws Error with the faults when there are any. */
export function billFile(file: unknown, rows: readonly string[] = createReadings(PLAIN_FLOW)): RunJson {
  const result = simulate(inputOf(file, rows));
  if (!result.ok)
    throw new Error(result.faults.map(({ field, message }) => `${field ?? ''}: ${message}`).join('\n'));
  return presentRun(result.value.run, true);
}

/** Each fault as 'field: message', with the row of the readings before it. */
export function faultsOf(file: unknown, rows: readonly string[] = createReadings(PLAIN_FLOW)): string[] {
  const result = simulate(inputOf(file, rows));
  if (result.ok) return [];
  return result.faults.map(
    ({ row, field, message }) => `${row === undefined ? '' : `row ${row}, `}${field ?? ''}: ${message}`,
  );
}

export type Bend = (file: ScenarioFile) => void;

export function faultsAfter(change: Bend): string[] {
  const file = createScenarioFile();
  change(file);
  return faultsOf(file);
}

/** Sets one field by path, or takes it away. */
export function set(path: string, value: unknown): Bend {
  return (file) => {
    const keys = path.split('.');
    const last = keys.pop()!;
    const holder = keys.reduce<Record<string, unknown>>(
      (at, key) => at[key] as Record<string, unknown>,
      file as never,
    );
    if (value === undefined) Reflect.deleteProperty(holder, last);
    else holder[last] = value;
  };
}

/** The plain scenario with one change. */
export function bend(change: (file: ScenarioFile) => void): ScenarioFile {
  const file = createScenarioFile();
  change(file);
  return file;
}
