import type { Ahu } from './ahu.ts';
import { CHILLED_WATER } from './ahu.ts';
import { seedOf } from './noise.ts';
import type { Quantities } from './quantities.ts';
import { clamp, remembering, type SiteClock } from './site-clock.ts';
import type { Weather } from './weather.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** kWh that a m³ of water carries for each kelvin. */
const HEAT_OF_WATER = 1.163;

/** Between supply and return of the chilled water that the pumps aim at, K. */
const DESIGN_DIFFERENCE = 5.2;

export interface ChillerSetup {
  readonly key: string;
  readonly seed: number;
  readonly clock: SiteClock;
  readonly weather: Weather;
  readonly ahus: readonly Ahu[];
  /** Cooling at full load, kW. */
  readonly rated: number;
  /** What server rooms take all year, kW. */
  readonly process: number;
}

/** `cooling` = what all coils and server rooms take = flow x difference of the chilled water. */
export interface ChillerState {
  /** kW */
  readonly cooling: number;
  /** Compressors, pumps and tower, kW. */
  readonly power: number;
  /** m³/h */
  readonly flow: number;
  /** °C */
  readonly returned: number;
  readonly condenserSupply: number;
  readonly condenserReturn: number;
}

export interface Chiller {
  state(t: number): ChillerState;
  readonly quantities: Quantities;
}

/** The plant that makes chilled water for the whole park. It never rests: server rooms want cooling in winter, too. */
export function createChiller(setup: ChillerSetup): Chiller {
  const { clock, rated } = setup;
  const own = seedOf(setup.seed, setup.key);
  const state = remembering((t: number) => chillerState(setup, own, t));
  const noise = (n: number, t: number, minutes: number): number =>
    clock.noise(own + n, t, minutes * MINUTE_MS);
  const drift = (t: number): number => 0.12 * noise(1, t, 6);
  return {
    state,
    quantities: new Map<string, (t: number) => number>([
      ['chiller_command', () => 1],
      ['chiller_status', () => 1],
      ['chilled_water_supply_temperature', (t) => CHILLED_WATER + drift(t)],
      ['chilled_water_supply_temperature_setpoint', () => CHILLED_WATER],
      ['chilled_water_return_temperature', (t) => state(t).returned + drift(t)],
      ['chilled_water_flow', (t) => state(t).flow],
      ['condenser_water_supply_temperature', (t) => state(t).condenserSupply + 0.1 * noise(2, t, 5)],
      ['condenser_water_return_temperature', (t) => state(t).condenserReturn + 0.1 * noise(2, t, 5)],
      ['cooling_power', (t) => state(t).cooling],
      ['active_power_total', (t) => state(t).power],
      ['chilled_water_pump_status', () => 1],
      ['condenser_water_pump_status', () => 1],
      ['compressor_load', (t) => clamp((100 * state(t).cooling) / rated, 0, 100)],
      ['outdoor_air_temperature', (t) => setup.weather.outdoor(t) + 0.1 * noise(3, t, 5)],
      ['general_alarm', () => 0],
    ]),
  };
}

function chillerState(
  { clock, weather, ahus, rated, process }: ChillerSetup,
  seed: number,
  t: number,
): ChillerState {
  const servers = process * (1 + 0.06 * clock.noise(seed, t, 3 * HOUR_MS));
  const cooling = ahus.reduce((sum, ahu) => sum + ahu.state(t).coilLoad, servers);
  const fullFlow = rated / (HEAT_OF_WATER * DESIGN_DIFFERENCE);
  const flow = Math.max(0.25 * fullFlow, cooling / (HEAT_OF_WATER * DESIGN_DIFFERENCE));
  const condenserSupply = clamp(0.7 * weather.outdoor(t) + 8, 16, 33);
  const load = cooling / rated;
  const coefficient = (6.4 - 0.09 * (condenserSupply - 16)) * (0.8 + 0.2 * Math.min(1, load / 0.6));
  const compressors = cooling / coefficient;
  const pumps = 1.2 + 3.5 * (flow / fullFlow) ** 3;
  const tower = 1 + 2 * load;
  return {
    cooling,
    power: compressors + pumps + tower,
    flow,
    returned: CHILLED_WATER + cooling / (HEAT_OF_WATER * flow),
    condenserSupply,
    condenserReturn: condenserSupply + (cooling + compressors) / (HEAT_OF_WATER * 1.2 * fullFlow),
  };
}
