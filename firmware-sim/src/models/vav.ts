import type { Trouble } from '../troubles.ts';
import { seedOf } from './noise.ts';
import type { Quantities } from './quantities.ts';
import type { Schedule } from './schedule.ts';
import { clamp, remembering, type SiteClock } from './site-clock.ts';
import type { Weather } from './weather.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** kWh that a m³ of air carries for each kelvin. */
export const HEAT_OF_AIR = 0.000335;

/** Between zone and supply air when the terminal was sized, K. */
const DESIGN_DIFFERENCE = 8.5;

/** Part of the largest flow that fresh air needs always. */
const LEAST_FLOW = 0.25;

export interface ZoneSetup {
  readonly key: string;
  readonly seed: number;
  readonly clock: SiteClock;
  readonly weather: Weather;
  readonly schedule: Schedule;
  /** Largest air flow, m³/h. */
  readonly flow: number;
  /** Heat of people and machines, as part of what such a zone usually has. */
  readonly gain: number;
  /** Of the air that the unit sends, °C. */
  readonly supplyTemperature: (t: number) => number;
  /** The unit's fan has failed: no air comes. */
  readonly fan: Trouble;
}

/** The zone in balance: `load` + `reheat` = what the air takes away. */
export interface ZoneState {
  /** °C */
  readonly temperature: number;
  /** Heat to be taken away, kW; negative where the envelope loses more than people bring. */
  readonly load: number;
  /** m³/h */
  readonly flow: number;
  readonly wantedFlow: number;
  /** kW */
  readonly reheat: number;
}

export interface Zone {
  state(t: number): ZoneState;
  readonly largestFlow: number;
  readonly quantities: Quantities;
}

/** A zone and its air terminal: air flow follows the load, the reheat coil adds what the least flow cools too much. */
export function createZone(setup: ZoneSetup): Zone {
  const { key, seed, clock, flow: largestFlow } = setup;
  const own = seedOf(seed, key);
  const state = remembering((t: number) => zoneState(setup, own, t));
  const noise = (n: number, t: number, minutes: number): number =>
    clock.noise(own + n, t, minutes * MINUTE_MS);
  const damper = (t: number): number => {
    const open = 100 * (state(t).wantedFlow / largestFlow) ** 0.7;
    return open + (100 - open) * setup.fan.level(t, MINUTE_MS, MINUTE_MS); // No air comes: it opens wide.
  };
  const capacity = largestFlow * HEAT_OF_AIR * DESIGN_DIFFERENCE;
  const discharge = (t: number): number => {
    const { temperature, flow, reheat } = state(t);
    const blown = setup.supplyTemperature(t) + 0.2 + (flow > 1 ? reheat / (HEAT_OF_AIR * flow) : 0);
    const still = setup.fan.level(t, 4 * MINUTE_MS, MINUTE_MS);
    return clamp(blown, 5, 45) * (1 - still) + temperature * still;
  };

  return {
    state,
    largestFlow,
    quantities: new Map<string, (t: number) => number>([
      [
        'zone_air_temperature',
        (t) => state(t).temperature + 0.12 * noise(1, t, 4) + 0.03 * noise(4, t, 0.25),
      ],
      ['zone_air_temperature_setpoint', (t) => Math.round(setup.schedule.setpoint(t) * 10) / 10],
      ['supply_air_flow', (t) => state(t).flow * (1 + 0.015 * noise(2, t, 1))],
      ['supply_air_flow_setpoint', (t) => Math.round(state(t).wantedFlow / 10) * 10],
      ['damper_command', damper],
      ['damper_position', (t) => damper(t - 3_000)], // The motor is three seconds behind.
      ['reheat_valve_command', (t) => clamp((125 * state(t).reheat) / capacity, 0, 100)],
      ['discharge_air_temperature', (t) => discharge(t) + 0.1 * noise(3, t, 3)],
      ['occupied', setup.schedule.occupied],
    ]),
  };
}

function zoneState(setup: ZoneSetup, seed: number, t: number): ZoneState {
  const { clock, schedule, weather, fan, flow: largest } = setup;
  const capacity = largest * HEAT_OF_AIR * DESIGN_DIFFERENCE;
  const lossPerKelvin = capacity / 48;
  const presence = schedule.presence(t);
  const gains =
    capacity * setup.gain * (0.28 + 0.32 * presence) * (1 + 0.05 * clock.noise(seed, t, 2 * HOUR_MS));
  const envelope = weather.envelope(t);

  const wander = 0.3 * (presence - 0.5) + 0.15 * clock.noise(seed + 10, t, HOUR_MS);
  const held = schedule.setpoint(t - 10 * MINUTE_MS) + wander;
  const left = clamp(envelope + gains / lossPerKelvin, held - 10, held + 15);
  const temperature = held + (left - held) * fan.level(t, 6 * HOUR_MS, HOUR_MS);

  const load = gains + lossPerKelvin * (envelope - temperature);
  const difference = temperature - setup.supplyTemperature(t);
  const storedHeat = capacity * clamp((temperature - held) / 4, 0, 0.4); // What a warm zone gives back.
  const needed = (load + storedHeat) / (HEAT_OF_AIR * difference);
  const wantedFlow = clamp(needed, LEAST_FLOW * largest, largest);
  const blowing = 1 - fan.level(t, 8_000, 15_000);
  const flow = blowing < 0.001 ? 0 : wantedFlow * blowing;
  const reheat = Math.max(0, HEAT_OF_AIR * wantedFlow * difference - load - storedHeat) * blowing;
  return { temperature, load: load + storedHeat, flow, wantedFlow, reheat };
}
