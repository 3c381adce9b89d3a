import { lattice } from './noise.ts';
import { DAY_MS, type SiteClock } from './site-clock.ts';

/** Journeys and passes repeat every four weeks, so that totals need only these days. */
export const PLAN_DAYS = 28;

/** How often an hour of the day is chosen, from midnight on. */
export type DayShape = readonly number[];

/** Calls and cars: morning, lunch and evening, and a little at night. */
export const officeDay: DayShape = [
  1, 0.5, 0.5, 0.5, 0.5, 1, 3, 8, 14, 11, 7, 8, 13, 11, 7, 7, 9, 14, 12, 6, 4, 3, 2, 1,
];

/** Nothing happens in the first and last minutes of a day, so no event runs over midnight. */
const QUIET_MS = 4 * 60_000;

/** How many events a day of the plan has: fewer on Saturdays, few on Sundays. */
export function eventsOn(day: number, weekday: number, perDay: number, seed: number): number {
  const share = weekday === 0 ? 0.12 : weekday === 6 ? 0.3 : 1;
  return Math.max(1, Math.round(perDay * share * (1 + 0.12 * lattice(seed, day))));
}

/** Ms since midnight of each event, in order. One falls into each of `count` equal shares of the day's weight, anywhere in it. */
export function eventTimes(count: number, shape: DayShape, day: number, seed: number): number[] {
  const total = shape.reduce((sum, weight) => sum + weight, 0);
  const times: number[] = [];
  let hour = 0;
  let before = 0;
  for (let n = 0; n < count; n += 1) {
    const wanted = ((n + 0.5 + 0.5 * lattice(seed, day * 4096 + n)) / count) * total;
    while (hour < shape.length - 1 && before + shape[hour]! < wanted) before += shape[hour++]!;
    const position = (hour + Math.min(1, (wanted - before) / shape[hour]!)) / shape.length;
    times.push(QUIET_MS + position * (DAY_MS - 2 * QUIET_MS));
  }
  return times;
}

/** Plans by day of the round, each made when it is first asked for. */
export interface Plans<Plan> {
  /** The day's plan, and Unix ms of its midnight. */
  at(t: number): { readonly plan: Plan; readonly midnight: number };
  /** Sum of `of(plan)` over all whole days from the origin to the midnight before `t`. */
  before(t: number, of: (plan: Plan) => number): number;
}

export function createPlans<Plan>(
  clock: SiteClock,
  make: (day: number, weekday: number) => Plan,
): Plans<Plan> {
  const known = new Map<number, Plan>();
  const sums = new Map<(plan: Plan) => number, number[]>();
  const planOf = (day: number): Plan => {
    const index = ((day % PLAN_DAYS) + PLAN_DAYS) % PLAN_DAYS;
    const plan = known.get(index) ?? make(index, clock.weekday(clock.origin + index * DAY_MS));
    known.set(index, plan);
    return plan;
  };
  const runningSums = (of: (plan: Plan) => number): number[] => {
    const made = [0];
    for (let day = 0; day < PLAN_DAYS; day += 1) made.push(made[day]! + of(planOf(day)));
    sums.set(of, made);
    return made;
  };
  return {
    at(t) {
      const day = clock.day(t);
      return { plan: planOf(day), midnight: clock.origin + day * DAY_MS };
    },
    before(t, of) {
      const day = clock.day(t);
      const running = sums.get(of) ?? runningSums(of);
      return Math.floor(day / PLAN_DAYS) * running[PLAN_DAYS]! + running[day % PLAN_DAYS]!;
    },
  };
}

/** Index of the last element that is not after `x`, -1 when all are. */
export function lastNotAfter<Item>(items: readonly Item[], x: number, start: (item: Item) => number): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (start(items[middle]!) <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
