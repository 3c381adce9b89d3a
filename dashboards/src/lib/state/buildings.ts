import type { Equipment, HistoryItem, Point } from '@parkline/contract';
import type { Freshness, Reading } from './reading.ts';

/** The main electricity meters of a building: together they carry everything behind them. */
export const mainMeters = (devices: readonly Equipment[], buildingId: string): Equipment[] =>
  devices.filter(
    (device) =>
      device.buildingId === buildingId &&
      device.kind === 'three-phase-meter' &&
      device.powerPointId !== null &&
      !device.submeterOfId,
  );

const gravity: Record<Freshness, number> = { good: 0, uncertain: 1, never: 2, stale: 3, bad: 4 };

/**
 * Their power together, as old and as good as the worst of them; no value as soon as one cannot be trusted now, for a
 * part would pass for the whole. Undefined without any meter.
 */
export function powerNow(
  meters: readonly Equipment[],
  points: ReadonlyMap<string, Point>,
  reading: (point: Point) => Reading,
): Reading | undefined {
  const never: Reading = { value: null, at: null, freshness: 'never' };
  const readings = meters.map(({ powerPointId }) => {
    const point = points.get(powerPointId ?? '');
    return point ? reading(point) : never;
  });
  const [worst] = readings.toSorted((a, b) => gravity[b.freshness] - gravity[a.freshness]);
  if (!worst) return undefined;
  if (gravity[worst.freshness] > gravity.uncertain) return { ...worst, value: null };
  return {
    value: readings.reduce((sum, { value }) => sum + (value ?? 0), 0),
    at: Math.min(...readings.map(({ at }) => at ?? 0)),
    freshness: worst.freshness,
  };
}

/** Series added instant by instant; a hole in one is a hole in the sum. */
export function sumSeries(
  series: readonly (readonly Pick<HistoryItem, 'at' | 'value'>[])[],
): { at: number; value: number | null }[] {
  const sums = new Map<number, { value: number | null; parts: number }>();
  for (const items of series) {
    for (const { at, value } of items) {
      const before = sums.get(Date.parse(at)) ?? { value: 0, parts: 0 };
      const sum = before.value === null || value === null ? null : before.value + value;
      sums.set(Date.parse(at), { value: sum, parts: before.parts + 1 });
    }
  }
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([at, { value, parts }]) => ({ at, value: parts === series.length ? value : null }));
}
