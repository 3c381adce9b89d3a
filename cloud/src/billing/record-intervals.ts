import { formatUnits, type Shown, showRegister, startOf } from '../metering/index.ts';
import { type Metered, registersOf } from './consumption.ts';
import { createOwnership } from './ownership.ts';
import { exactEnergy } from './present.ts';
import type { IntervalRecord, RegisterRecord } from './record.ts';
import { createSchedule } from './schedule.ts';
import type { Simulation } from './simulate.ts';

/** Every billed interval of every usage point, with what its registers showed. */
export function recordIntervals(simulation: Simulation): IntervalRecord[] {
  const { scenario, run } = simulation;
  const { grid, billed, energyScale, points } = run.consumption;
  const { rates } = createSchedule(scenario.tariff, grid, billed);
  const ownerAt = createOwnership(scenario);
  return points.flatMap((point) => {
    const { usagePoint, own, through, quality, rule } = point;
    const registers = recordRegisters(simulation, point);
    return rates.map((rate, offset): IntervalRecord => {
      const k = billed.first + offset;
      const at = startOf(grid, k);
      const direct = usagePoint.role === 'direct';
      return {
        usagePoint: usagePoint.id,
        at,
        party: direct ? ownerAt(usagePoint.space!, at).participant : null,
        energy: exactEnergy(own[k]!, energyScale),
        through: exactEnergy(through[k]!, energyScale),
        // The run refuses a billed interval that nothing is known of.
        quality: quality[k] ?? 'E',
        rule: rule[k] || null,
        band: rate.band,
        tariffVersion: rate.version,
        registers: registers.get(k) ?? [],
      };
    });
  });
}

/** By interval of the grid: one display a register that hung there in it. */
function recordRegisters(
  { scenario, readings, run }: Simulation,
  { usagePoint }: Metered,
): ReadonlyMap<number, RegisterRecord[]> {
  const { grid, billed, energyScale } = run.consumption;
  const byInterval = new Map<number, RegisterRecord[]>();
  for (const { item, register } of registersOf(scenario, usagePoint.id, energyScale)) {
    const { units, scale } = item.multiplier;
    const multiplier = formatUnits(item.direction === 'export' ? -units : units, scale);
    const display = (counts: Shown['from']): string | null =>
      counts === undefined ? null : formatUnits(counts, register.decimals);
    for (const { interval, from, to } of showRegister(
      register,
      readings.get(item.meter) ?? [],
      grid,
      billed,
    )) {
      const known = byInterval.get(interval) ?? [];
      known.push({ meter: item.meter, multiplier, from: display(from), to: display(to) });
      byInterval.set(interval, known);
    }
  }
  return byInterval;
}
