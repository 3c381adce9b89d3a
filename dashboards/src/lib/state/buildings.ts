import type { Equipment, HistoryItem, Point } from '@parkline/contract';
import type { Reading } from './reading.ts';

/** The main electricity meters of a building: together they carry everything behind them. */
export const mainMeters = (devices: readonly Equipment[], buildingId: string): Equipment[] =>
  devices.filter(
    (device) =>
      device.buildingId === buildingId &&
      device.kind === 'three-phase-meter' &&
      device.powerPointId !== null &&
      !device.submeterOfId,
  );

/** Their power together; null as soon as one of them cannot be trusted now, for a part would pass for the whole. */
export function powerNow(
  meters: readonly Equipment[],
  points: ReadonlyMap<string, Point>,
  reading: (point: Point) => Reading,
): number | null {
  let sum = 0;
  for (const { powerPointId } of meters) {
    const point = powerPointId === null ? undefined : points.get(powerPointId);
    const now = point && reading(point);
    if (!now || now.value === null || now.freshness === 'stale') return null;
    sum += now.value;
  }
  return meters.length > 0 ? sum : null;
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
