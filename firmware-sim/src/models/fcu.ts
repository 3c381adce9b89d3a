import { seedOf } from './noise.ts';
import type { Quantities } from './quantities.ts';
import type { Schedule } from './schedule.ts';
import { clamp, type SiteClock } from './site-clock.ts';
import type { Weather } from './weather.ts';

const MINUTE_MS = 60_000;

/** Water of the coils, °C. */
const CHILLED = 9;
const HOT = 50;

export interface FcuSetup {
  readonly key: string;
  readonly seed: number;
  readonly clock: SiteClock;
  readonly weather: Weather;
  readonly schedule: Schedule;
}

/** A room that its fan coil holds at the setpoint: it cools when people and weather warm the room, heats when they do not. */
export function createFcu({ key, seed, clock, weather, schedule }: FcuSetup): {
  readonly quantities: Quantities;
} {
  const own = seedOf(seed, key);
  const noise = (n: number, t: number, minutes: number): number =>
    clock.noise(own + n, t, minutes * MINUTE_MS);
  /** -1 full heating .. 1 full cooling. */
  const demand = (t: number): number =>
    clamp((weather.envelope(t) - 18) / 14 + 0.5 * schedule.presence(t) + 0.05 * noise(1, t, 15), -1, 1);
  const runs = (t: number): number => (schedule.occupied(t) === 1 || Math.abs(demand(t)) > 0.5 ? 1 : 0);
  const zone = (t: number): number =>
    schedule.setpoint(t - 10 * MINUTE_MS) + 0.3 * demand(t) + 0.1 * noise(2, t, 5);
  const cooling = (t: number): number => runs(t) * 100 * clamp(demand(t), 0, 1);
  const heating = (t: number): number => runs(t) * 100 * clamp(-demand(t), 0, 1);
  return {
    quantities: new Map<string, (t: number) => number>([
      ['zone_air_temperature', zone],
      ['zone_air_temperature_setpoint', (t) => Math.round(schedule.setpoint(t) * 10) / 10],
      [
        'discharge_air_temperature',
        (t) => zone(t) + (0.55 * (cooling(t) * (CHILLED - zone(t)) + heating(t) * (HOT - zone(t)))) / 100,
      ],
      ['fan_command', runs],
      ['fan_status', (t) => runs(t - 5_000)], // The motor is five seconds behind.
      ['fan_speed', (t) => runs(t) * clamp(35 + 65 * Math.abs(demand(t)), 35, 100)],
      ['cooling_valve_command', cooling],
      ['heating_valve_command', heating],
      ['occupied', schedule.occupied],
    ]),
  };
}
