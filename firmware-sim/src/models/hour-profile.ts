import { lattice } from './noise.ts';

/** Cycles an hour of the ripple, and its share at most: slow swings, machines of minutes, motors of about a minute. */
const ripples = [
  { cycles: 2, share: 0.4 },
  { cycles: 5, share: 0.3 },
  { cycles: 17, share: 0.2 },
  { cycles: 59, share: 0.1 },
] as const;

/** Ripple at most this part of the lowest power of the hour, so power never turns negative. */
const SWING = 0.35;

/** Means of one hour and its neighbours, in kW (m³/h for water). */
export interface Hours {
  readonly before: number;
  readonly here: number;
  readonly after: number;
}

/**
 * Spreads an hour's energy over the hour: a line from the hour's start to its middle and one to its end, meeting the
 * neighbouring hours without a step, plus sine ripples of whole cycles, whose energy over the hour is zero. So the integral over
 * u = 0..1 is exactly `here`, and power is never negative.
 * @param u Part of the hour that has passed, 0..1.
 * @param seed Of the meter; `hour` numbers the hour for ever, so each hour ripples differently.
 */
export function hourProfile(
  hours: Hours,
  u: number,
  seed: number,
  hour: number,
): { power: number; energy: number } {
  const start = edge(hours.before, hours.here);
  const end = edge(hours.here, hours.after);
  const middle = (4 * hours.here - start - end) / 2;
  const first = Math.min(u, 0.5);
  const second = Math.max(u - 0.5, 0);
  let energy = first * (start + (middle - start) * first) + second * (middle + (end - middle) * second);
  let power = u < 0.5 ? start + (middle - start) * 2 * u : middle + (end - middle) * (2 * u - 1);

  const swing = SWING * Math.max(0, Math.min(start, middle, end));
  for (const { cycles, share } of ripples) {
    const amplitude = swing * share * lattice(seed + cycles, hour);
    const angle = 2 * Math.PI * cycles * u;
    power += amplitude * Math.sin(angle);
    energy += (amplitude * (1 - Math.cos(angle))) / (2 * Math.PI * cycles);
  }
  return { power, energy };
}

/** Power where two hours meet: their mean, but at most twice the smaller, or the middle of that hour would fall below zero. */
function edge(a: number, b: number): number {
  return Math.min((a + b) / 2, 2 * a, 2 * b);
}
