import { type Fault, formatLocal, toUnits } from '../metering/index.ts';
import { overlap, scenarioFault } from './faults.ts';
import type { ScenarioParts } from './read-scenario.ts';
import type { Installed, Meter, Period } from './scenario.ts';

/** A usage point has exactly one import meter at every instant of the period, and a meter hangs in one place. */
export function checkInstallations(parts: ScenarioParts): Fault[] {
  const { installations, usagePoints, meters, period, calendar } = parts;
  if (!installations) return [];
  const faults = installations.flatMap((item, index) => {
    const path = `installations[${index}]`;
    const found: Fault[] = [];
    if (usagePoints && !usagePoints.some(({ id }) => id === item.usagePoint))
      found.push(scenarioFault(`${path}.usage_point`, `no usage point ${item.usagePoint}`));
    const meter = meters?.find(({ id }) => id === item.meter);
    if (meters && !meter) found.push(scenarioFault(`${path}.meter`, `no meter ${item.meter}`));
    if (meter) found.push(...checkIndexes(item, meter, path));
    return [...found, ...checkOverlap(installations, index)];
  });
  // Holes are only worth telling where the list itself is sound.
  if (faults.length > 0 || !usagePoints || !period || !calendar) return faults;
  return usagePoints.flatMap(({ id }, index) => {
    const hole = findHole(
      installations.filter((item) => item.usagePoint === id),
      period,
    );
    if (hole === undefined) return [];
    return [
      scenarioFault(
        `usage_points[${index}]`,
        `${id} has no meter from ${formatLocal(hole, calendar.timezone)}`,
      ),
    ];
  });
}

function checkIndexes(item: Installed, meter: Meter, path: string): Fault[] {
  const checks = [
    { name: 'start_index', index: item.startIndex },
    { name: 'final_index', index: item.finalIndex },
  ];
  return checks.flatMap(({ name, index }) => {
    if (index === null) return [];
    const counts = toUnits(index, meter.decimals);
    if (counts !== undefined && counts < 10n ** BigInt(meter.digits + meter.decimals)) return [];
    return [
      scenarioFault(
        `${path}.${name}`,
        `does not fit the display of meter ${meter.id}: ${describeDisplay(meter)}`,
      ),
    ];
  });
}

export function describeDisplay({ digits, decimals }: Meter): string {
  return `${digits} digits before and ${decimals} after the point`;
}

function checkOverlap(installations: readonly Installed[], index: number): Fault[] {
  const item = installations[index]!;
  for (let before = 0; before < index; before += 1) {
    const other = installations[before]!;
    if (!overlap(other, item)) continue;
    const path = `installations[${index}].from`;
    if (other.meter === item.meter)
      return [
        scenarioFault(path, `meter ${item.meter} is installed twice: overlaps installations[${before}]`),
      ];
    if (other.usagePoint === item.usagePoint && other.direction === item.direction)
      return [
        scenarioFault(
          path,
          `usage point ${item.usagePoint} has two meters: overlaps installations[${before}]`,
        ),
      ];
  }
  return [];
}

/** The first instant of the period at which no meter hangs there. */
function findHole(installations: readonly Installed[], { start, end }: Period): number | undefined {
  let covered = start;
  for (const { from, to } of installations.toSorted((a, b) => a.from - b.from)) {
    if (from > covered) break;
    covered = Math.max(covered, to ?? Infinity);
  }
  return covered < end ? covered : undefined;
}
