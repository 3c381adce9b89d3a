import type { Equipment, Point } from '@parkline/contract';

/** What a kind of equipment is there for, by template key: shown where there is room for one value. */
const mainKeys: Readonly<Record<string, string>> = {
  ahu: 'supply_air_temperature',
  vav: 'zone_air_temperature',
  chiller: 'chilled_water_supply_temperature',
  elevator: 'car_floor',
  gate: 'barrier_open',
  'leak-sensor': 'leak',
};

/** The one point that stands for a device; undefined for a device that we know no such point of. */
export function mainPoint(
  { kind, powerPointId }: Pick<Equipment, 'kind' | 'powerPointId'>,
  points: readonly Point[],
): Point | undefined {
  const key = mainKeys[kind];
  return key ? points.find((point) => point.key === key) : points.find(({ id }) => id === powerPointId);
}
