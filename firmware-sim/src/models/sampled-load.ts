import { joined, type Span } from '../troubles.ts';
import type { Load } from './load.ts';
import { ROUND_MS, type SiteClock } from './site-clock.ts';

const HOUR_MS = 3_600_000;

/** Healthy power is summed up at this distance; it changes over hours. */
const STEP_MS = 20 * 60_000;

/** A trouble's difference is held this long. */
const HELD_MS = 15_000;

/** After this a trouble that is over has no more effect, ms. */
const AFTERMATH_MS = 12 * HOUR_MS;

/** kW of a machine, as it would run and as it does. Both are functions of time alone, and of troubles up to that time. */
export interface Machine {
  healthy(t: number): number;
  actual(t: number): number;
}

/**
 * The energy of machines whose power has no integral in closed form. Healthy energy comes from a table over the round after
 * which the park repeats, made when it is first asked for (some 0.2 s); troubles add or take what they changed since they began.
 * So a register is a function of time and of the troubles' times: it runs on over restarts, and never falls when a trouble
 * begins or ends.
 * @param spans When any of the machines was troubled, in any order.
 */
export function createSampledLoads(
  machines: ReadonlyMap<string, Machine>,
  clock: SiteClock,
  spans: () => readonly Span[],
): ReadonlyMap<string, Load> {
  let made: ReadonlyMap<string, Float64Array> | undefined;
  const tables = (): ReadonlyMap<string, Float64Array> => (made ??= createTables(machines, clock));

  return new Map(
    [...machines].map(([key, machine]) => {
      const changed = createDifference(machine, spans);
      return [
        key,
        {
          power: machine.actual,
          energy: (t: number) => healthyEnergy(tables().get(key)!, t - clock.origin) + changed(t),
        },
      ];
    }),
  );
}

/** Power at each step of the round. All machines at one instant together, for they share what they are made of. */
function createTables(
  machines: ReadonlyMap<string, Machine>,
  clock: SiteClock,
): ReadonlyMap<string, Float64Array> {
  const count = ROUND_MS / STEP_MS;
  const made = new Map([...machines.keys()].map((key) => [key, new Float64Array(2 * count + 2)]));
  for (let step = 0; step <= count; step += 1)
    for (const [key, { healthy }] of machines) {
      const table = made.get(key)!;
      const power = step < count ? healthy(clock.origin + step * STEP_MS) : table[0]!;
      table[2 * step] = power;
      if (step === 0) continue;
      table[2 * step + 1] = table[2 * step - 1]! + (((power + table[2 * step - 2]!) / 2) * STEP_MS) / HOUR_MS;
    }
  return made;
}

/** kWh since the origin; between two steps power runs straight. @param table Power and energy of each step, in turn. */
function healthyEnergy(table: Float64Array, sinceOrigin: number): number {
  const rounds = Math.floor(sinceOrigin / ROUND_MS);
  const position = (sinceOrigin - rounds * ROUND_MS) / STEP_MS;
  const step = Math.floor(position);
  const u = position - step;
  const [from, before, to] = [table[2 * step]!, table[2 * step + 1]!, table[2 * step + 2]!];
  return rounds * table.at(-1)! + before + ((from * u + ((to - from) * u * u) / 2) * STEP_MS) / HOUR_MS;
}

/** kWh that troubles added (or saved) until `t`. Each step holds the difference at its start, so that no later event changes it. */
function createDifference({ actual, healthy }: Machine, spans: () => readonly Span[]): (t: number) => number {
  const sums = new Map<number, number[]>();
  const held = (at: number): number => (actual(at) - healthy(at)) / HOUR_MS;
  return (t) => {
    let total = 0;
    for (const [from, to] of joined(spans().map(withAftermath))) {
      if (t <= from) continue;
      const known = sums.get(from) ?? [0];
      sums.set(from, known);
      const position = (Math.min(t, to) - from) / HELD_MS;
      const whole = Math.floor(position);
      while (known.length <= whole)
        known.push(known.at(-1)! + held(from + (known.length - 1) * HELD_MS) * HELD_MS);
      total += known[whole]! + held(from + whole * HELD_MS) * (position - whole) * HELD_MS;
    }
    return total;
  };
}

const withAftermath = ([from, to]: Span): Span => [from, to + AFTERMATH_MS];
