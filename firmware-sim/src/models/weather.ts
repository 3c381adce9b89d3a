import { seedOf } from './noise.ts';
import { clamp, DAY_MS, remembering, type SiteClock } from './site-clock.ts';

const HOUR_MS = 3_600_000;

/** Outdoor air of a humid subtropical coast: hot wet summers, cool dry winters. */
export interface Weather {
  /** Dry bulb, °C. */
  outdoor(t: number): number;
  /** What a building's envelope feels of it: two hours late, °C. */
  envelope(t: number): number;
  /** Relative humidity, %. */
  humidity(t: number): number;
}

export function createWeather(clock: SiteClock, parkSeed: number): Weather {
  const seed = seedOf(parkSeed, 'weather');
  const dryBulb = (t: number): number => {
    const season = -12 * Math.cos(2 * Math.PI * (clock.season(t) - 0.06)); // Coldest about the 20th of January.
    const daily = 3.5 * Math.cos((2 * Math.PI * (clock.hour(t) - 15)) / 24);
    const fronts = 4 * clock.noise(seed, t, 4 * DAY_MS) + 1.2 * clock.noise(seed + 1, t, 6 * HOUR_MS);
    return 17 + season + daily + fronts;
  };
  return {
    outdoor: remembering(dryBulb),
    envelope: remembering((t) => dryBulb(t - 2 * HOUR_MS)),
    humidity: (t) =>
      clamp(
        70 -
          1.6 * 3.5 * Math.cos((2 * Math.PI * (clock.hour(t) - 15)) / 24) +
          15 * clock.noise(seed + 2, t, DAY_MS),
        30,
        98,
      ),
  };
}
