import { createPlans, eventsOn, eventTimes, lastNotAfter, officeDay } from './day-plan.ts';
import { lattice, seedOf } from './noise.ts';
import type { Quantities } from './quantities.ts';
import type { SiteClock } from './site-clock.ts';

/** Around the moment in which a car drives under the barrier, ms. */
const ON_LOOP = { from: -4_000, to: 2_500 } as const;
const OPEN = { from: -2_000, to: 5_000 } as const;

/** One car after the other. */
const LEAST_GAP_MS = 10_000;

export interface GateSetup {
  readonly key: string;
  readonly seed: number;
  readonly clock: SiteClock;
  /** Cars on a working day. */
  readonly passes: number;
  readonly way: 'in' | 'out' | 'both';
}

/** Ms since midnight at which a car drives through. */
interface Pass {
  readonly at: number;
  readonly isIn: boolean;
}

/** A barrier that opens for each car of the day's traffic. */
export function createGate({ key, seed: parkSeed, clock, passes, way }: GateSetup): {
  readonly quantities: Quantities;
} {
  const seed = seedOf(parkSeed, key);
  const plans = createPlans(clock, (day, weekday): readonly Pass[] => {
    let free = 0;
    return eventTimes(eventsOn(day, weekday, passes, seed), officeDay, day, seed).map((wanted, n) => {
      const at = Math.max(wanted, free);
      free = at + LEAST_GAP_MS;
      const isIn = way === 'both' ? lattice(seed + 1, day * 4096 + n) >= 0 : way === 'in';
      return { at, isIn };
    });
  });
  const during = (t: number, { from, to }: { from: number; to: number }): number => {
    const { plan, midnight } = plans.at(t);
    const last = plan[lastNotAfter(plan, t - midnight - from, ({ at }) => at)];
    return last && t - midnight <= last.at + to ? 1 : 0;
  };
  const counted =
    (of: (plan: readonly Pass[]) => number) =>
    (t: number): number => {
      const { plan, midnight } = plans.at(t);
      const done = lastNotAfter(plan, t - midnight, ({ at }) => at) + 1;
      return plans.before(t, of) + of(plan.slice(0, done));
    };

  return {
    quantities: new Map<string, (t: number) => number>([
      ['barrier_open', (t) => during(t, OPEN)],
      ['forced_open', () => 0],
      ['passes_in', counted(carsIn)],
      ['passes_out', counted(carsOut)],
      ['loop_occupied', (t) => during(t, ON_LOOP)],
    ]),
  };
}

const carsIn = (plan: readonly Pass[]): number => plan.filter(({ isIn }) => isIn).length;
const carsOut = (plan: readonly Pass[]): number => plan.filter(({ isIn }) => !isIn).length;
