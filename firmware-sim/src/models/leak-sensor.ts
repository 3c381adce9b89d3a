import { seedOf } from './noise.ts';
import type { Quantities } from './quantities.ts';
import { clamp, DAY_MS, type SiteClock } from './site-clock.ts';
import type { Weather } from './weather.ts';

const MINUTE_MS = 60_000;

/** The battery lasts longer than the two years after which it is changed. */
const BATTERY_LIFE_MS = 728 * DAY_MS;

export interface LeakSensorSetup {
  readonly key: string;
  readonly seed: number;
  readonly clock: SiteClock;
  readonly weather: Weather;
}

/** A dry floor, in a room that follows the weather a little. */
export function createLeakSensor({ key, seed, clock, weather }: LeakSensorSetup): {
  readonly quantities: Quantities;
} {
  const own = seedOf(seed, key);
  const noise = (n: number, t: number, minutes: number): number =>
    clock.noise(own + n, t, minutes * MINUTE_MS);
  const changed = (own % 500) / 1000; // Where in its life the battery was at the origin.
  return {
    quantities: new Map<string, (t: number) => number>([
      ['leak', () => 0],
      [
        'air_temperature',
        (t) => 20.5 + 0.2 * (weather.envelope(t) - 17) + 0.6 * noise(1, t, 120) + 0.1 * noise(2, t, 5),
      ],
      [
        'relative_humidity',
        (t) =>
          clamp(52 + 0.25 * (weather.humidity(t) - 70) + 3 * noise(3, t, 60) + 0.4 * noise(4, t, 5), 30, 80),
      ],
      ['battery_level', (t) => Math.round(98 - 30 * (((t - clock.origin) / BATTERY_LIFE_MS + changed) % 1))],
    ]),
  };
}
