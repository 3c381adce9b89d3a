import { hourProfile } from './hour-profile.ts';

/** What flows through a meter, as a pure function of Unix ms. Electricity and heat in kW and kWh, water in m³/h and m³. */
export interface Load {
  power(t: number): number;
  /** Since the origin of the series; continuous and never falling. */
  energy(t: number): number;
}

/** Where the series begin: the first hour of a year in the site's own wall clock, so that office hours stay office hours. */
export interface SeriesClock {
  /** Unix ms of that instant. */
  readonly origin: number;
}

export const HOUR_MS = 3_600_000;

/**
 * An hourly series, repeated for ever. Its length is a whole number of weeks, so weekdays keep matching, and about two
 * years, so seasons do.
 * @throws RangeError when asked about a time before the origin.
 */
export function createSeriesLoad(hours: Float64Array, seed: number, { origin }: SeriesClock): Load {
  const count = hours.length;
  const before = new Float64Array(count + 1);
  for (let hour = 0; hour < count; hour += 1) before[hour + 1] = before[hour]! + hours[hour]!;
  const round = before[count]!;

  const at = (t: number) => {
    const position = (t - origin) / HOUR_MS;
    if (position < 0) throw new RangeError(`the series begins at ${new Date(origin).toISOString()}`);
    const hour = Math.floor(position);
    const index = hour % count;
    const shape = {
      before: hours[(index + count - 1) % count]!,
      here: hours[index]!,
      after: hours[(index + 1) % count]!,
    };
    const { power, energy } = hourProfile(shape, position - hour, seed, hour);
    return { power, energy: Math.floor(hour / count) * round + before[index]! + energy };
  };
  return { power: (t) => at(t).power, energy: (t) => at(t).energy };
}

/** A meter in front of others: their sum, times the losses between. */
export function createSumLoad(parts: readonly Load[], times: number): Load {
  return {
    power: (t) => times * parts.reduce((sum, part) => sum + part.power(t), 0),
    energy: (t) => times * parts.reduce((sum, part) => sum + part.energy(t), 0),
  };
}
