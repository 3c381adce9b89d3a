import { seedOf } from './noise.ts';
import type { Quantities } from './quantities.ts';
import { clamp, type SiteClock } from './site-clock.ts';
import type { Weather } from './weather.ts';

const MINUTE_MS = 60_000;

/** kWh that one m³ of water carries for each kelvin. */
const HEAT_OF_WATER = 1.163;
/** Between supply and return at full load, K. */
const DESIGN_DIFFERENCE = 20;
/** Part of the largest load that hot taps take in any weather. */
const LEAST_LOAD = 0.08;

export interface BoilerSetup {
  readonly key: string;
  readonly seed: number;
  readonly clock: SiteClock;
  readonly weather: Weather;
  /** Heat at full load, kW. */
  readonly rated: number;
}

/** A boiler that gives what the weather asks for: constant flow, supply by a heating curve, return by the balance. */
export function createBoiler({ key, seed, clock, weather, rated }: BoilerSetup): {
  readonly quantities: Quantities;
} {
  const own = seedOf(seed, key);
  const noise = (n: number, t: number, minutes: number): number =>
    clock.noise(own + n, t, minutes * MINUTE_MS);
  const load = (t: number): number =>
    clamp((18 - weather.envelope(t)) / 25 + LEAST_LOAD + 0.02 * noise(1, t, 20), LEAST_LOAD, 1);
  const flow = rated / (HEAT_OF_WATER * DESIGN_DIFFERENCE);
  const setpoint = (t: number): number => Math.round(clamp(68 - 1.1 * weather.envelope(t), 45, 75));
  const supply = (t: number): number => setpoint(t - 10 * MINUTE_MS) + 0.4 * noise(2, t, 8);
  return {
    quantities: new Map<string, (t: number) => number>([
      ['boiler_command', () => 1],
      ['boiler_status', () => 1],
      ['firing_rate', (t) => 100 * load(t)],
      ['hot_water_supply_temperature', supply],
      ['hot_water_supply_temperature_setpoint', setpoint],
      ['hot_water_return_temperature', (t) => supply(t) - (rated * load(t)) / (HEAT_OF_WATER * flow)],
      ['hot_water_flow', () => flow],
      ['flue_gas_temperature', (t) => 75 + 70 * load(t) + noise(3, t, 3)],
      ['hot_water_pump_status', () => 1],
      ['general_alarm', () => 0],
    ]),
  };
}
