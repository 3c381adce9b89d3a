import { addDays, type Span, startOf, startOfDate } from '../metering/index.ts';
import type { Consumption, Metered } from './consumption.ts';
import { createOwnership, type Owner } from './ownership.ts';
import type { Scenario } from './scenario.ts';
import { areaUnits, type Contribution, type Measures } from './weights.ts';

/** Energy of the direct usage points, interval by interval, with its owner. */
export interface OwnedEnergy {
  /** Index from the first billed interval. */
  readonly offset: number;
  readonly owner: Owner;
  readonly energy: bigint;
  readonly estimated: boolean;
}

/** Assigns every interval of every direct usage point to who held its space when the interval began. */
export function ownDirectEnergy(scenario: Scenario, { points, grid, billed }: Consumption): OwnedEnergy[] {
  const ownerAt = createOwnership(scenario);
  return points
    .filter(({ usagePoint }) => usagePoint.role === 'direct')
    .flatMap(({ usagePoint, own, quality }) =>
      own.slice(billed.first, billed.last).map((energy, offset) => ({
        offset,
        owner: ownerAt(usagePoint.space!, startOf(grid, billed.first + offset)),
        energy,
        estimated: quality[billed.first + offset] === 'E',
      })),
    );
}

/** The billed interval with the highest supply, the first one on a tie; its index in the grid. */
export function findPeak({ through }: Metered, { first, last }: Span): number {
  let peak = first;
  for (let k = first + 1; k < last; k += 1) if (through[k]! > through[peak]!) peak = k;
  return peak;
}

export function createMeasures(
  scenario: Scenario,
  direct: readonly OwnedEnergy[],
  peakOffset: number,
): Measures {
  const days = listSpaceDays(scenario);
  const areas = areaUnits(scenario);
  return {
    area_days: days.map(({ space, owner }) => contribute(owner, areas.get(space)!)),
    head_days: days.map(({ owner }) => contribute(owner, BigInt(owner.headcount))),
    direct_kwh: direct.map(({ owner, energy }) => contribute(owner, energy)),
    coincident_kw: direct
      .filter(({ offset }) => offset === peakOffset)
      .map(({ owner, energy }) => contribute(owner, energy)),
    equal: listPresent(scenario),
  };
}

function contribute({ participant, state }: Owner, amount: bigint): Contribution {
  return { participant, state, amount };
}

/** Every space on every day of the period, by who holds it as the day begins. */
function listSpaceDays(scenario: Scenario): { space: string; owner: Owner }[] {
  const { period, calendar, spaces } = scenario;
  const ownerAt = createOwnership(scenario);
  const days: { space: string; owner: Owner }[] = [];
  for (let date = period.from; date < period.to; date = addDays(date, 1)) {
    const start = startOfDate(date, calendar.timezone);
    for (const { id } of spaces) days.push({ space: id, owner: ownerAt(id, start) });
  }
  return days;
}

/** One head each for the landlord and every tenant with a lease in the period. */
function listPresent({ participants, landlord, leases, period }: Scenario): Contribution[] {
  return participants.flatMap((participant): Contribution[] => {
    const own = leases.filter(({ tenant, from, to }) => {
      return tenant === participant && from < period.end && (to ?? Infinity) > period.start;
    });
    if (own.length > 0)
      return [
        {
          participant,
          state: own.some(({ headcount }) => headcount > 0) ? 'occupied' : 'leased',
          amount: 1n,
        },
      ];
    return participant === landlord ? [{ participant, state: 'vacant', amount: 1n }] : [];
  });
}
