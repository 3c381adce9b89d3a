import type { Trouble } from '../troubles.ts';
import { seedOf } from './noise.ts';
import type { Quantities } from './quantities.ts';
import type { Schedule } from './schedule.ts';
import { clamp, DAY_MS, ramp, remembering, type SiteClock } from './site-clock.ts';
import { HEAT_OF_AIR, type Zone } from './vav.ts';
import type { Weather } from './weather.ts';

const MINUTE_MS = 60_000;

/** Chilled water arrives with this temperature, °C. */
export const CHILLED_WATER = 7;

/** The filter is changed four times a year. */
const FILTER_LIFE_MS = 91 * DAY_MS;

export interface AhuSetup {
  readonly key: string;
  readonly seed: number;
  readonly clock: SiteClock;
  readonly weather: Weather;
  readonly schedule: Schedule;
  /** Air flow at full speed, m³/h. */
  readonly flow: number;
  readonly zones: readonly Zone[];
  readonly fan: Trouble;
  /** The cooling valve hangs fully open, whatever it is told. */
  readonly valve: Trouble;
}

/** The unit in balance: cooling - heating = air flow x (mixed + fan heat - supply). */
export interface AhuState {
  /** °C */
  readonly supply: number;
  readonly mixed: number;
  readonly returned: number;
  /** m³/h */
  readonly flow: number;
  /** % of full speed. */
  readonly speed: number;
  /** kW */
  readonly fanPower: number;
  /** Of the air that is still to cool, without what its moisture takes, kW. */
  readonly cooling: number;
  readonly heating: number;
  /** What the chilled water takes away, moisture and all, kW. */
  readonly coilLoad: number;
  /** % */
  readonly damper: number;
  readonly valveCommand: number;
  readonly valvePosition: number;
  readonly heatingValve: number;
}

export interface Ahu {
  state(t: number): AhuState;
  readonly quantities: Quantities;
}

/** °C that the unit sends: cooler air in warm weather. Its zones ask, too, which is why it stands alone. */
export const supplySetpoint = (outdoor: number): number => clamp(18 - (outdoor - 10) / 4, 14, 18);

export function createAhu(setup: AhuSetup): Ahu {
  const { key, clock, schedule, fan } = setup;
  const state = remembering((t: number) => ahuState(setup, t));
  const own = seedOf(setup.seed, key);
  const noise = (n: number, t: number, minutes: number): number =>
    clock.noise(own + n, t, minutes * MINUTE_MS);
  const setpoint = (t: number): number => supplySetpoint(setup.weather.outdoor(t));
  const pressure = (t: number): number => 160 + 90 * ramp(schedule.presence(t), 0.06, 0.5);
  const blowing = (t: number): number => 1 - fan.level(t, 6_000, 12_000);
  const still = (t: number): number => fan.level(t, 10 * MINUTE_MS, 3 * MINUTE_MS);
  const supply = (t: number): number => state(t).supply * (1 - still(t)) + state(t).returned * still(t);
  const clogging = (t: number): number => (((t - clock.origin) / FILTER_LIFE_MS + 0.4) % 1) * 90;
  const fresh = (t: number): number => 0.3 + state(t).damper / 100;

  return {
    state,
    quantities: new Map<string, (t: number) => number>([
      ['supply_air_temperature', (t) => supply(t) + 0.15 * noise(1, t, 4)],
      ['supply_air_temperature_setpoint', (t) => Math.round(setpoint(t) * 10) / 10],
      ['return_air_temperature', (t) => state(t).returned + 0.1 * noise(2, t, 5)],
      ['mixed_air_temperature', (t) => state(t).mixed + 0.15 * noise(3, t, 4)],
      ['outdoor_air_temperature', (t) => setup.weather.outdoor(t) + 0.1 * noise(4, t, 5)],
      ['supply_air_pressure', (t) => (pressure(t) + 5 * noise(5, t, 1)) * settled(blowing(t))],
      ['supply_air_pressure_setpoint', (t) => Math.round(pressure(t))],
      ['supply_fan_command', () => 1],
      ['supply_fan_status', (t) => (fan.since(t) === undefined ? 1 : 0)],
      ['supply_fan_speed', (t) => state(t).speed],
      ['supply_fan_power', (t) => state(t).fanPower],
      ['cooling_valve_command', (t) => state(t).valveCommand],
      ['cooling_valve_position', (t) => state(t).valvePosition],
      ['heating_valve_command', (t) => state(t).heatingValve],
      ['outdoor_air_damper_command', (t) => state(t).damper],
      ['filter_pressure_drop', (t) => (60 + clogging(t)) * (state(t).speed / 100) ** 2],
      ['return_air_co2', (t) => 430 + (250 * schedule.presence(t)) / fresh(t) + 8 * noise(6, t, 10)],
      ['occupied', schedule.occupied],
    ]),
  };
}

function ahuState(setup: AhuSetup, t: number): AhuState {
  const { schedule, fan, valve, flow: fullFlow } = setup;
  const outdoor = setup.weather.outdoor(t);
  const { asked, returned } = zonesTogether(setup.zones, t);
  const setpoint = supplySetpoint(outdoor);
  const blowing = settled(1 - fan.level(t, 6_000, 12_000));
  const speed = clamp((100 * asked) / fullFlow, 25, 100) * blowing;
  const fanPower = 0.00045 * fullFlow * (speed / 100) ** 3;
  const flow = asked * blowing;
  const fanHeat = flow > 1 ? Math.min(3, (0.9 * fanPower) / (HEAT_OF_AIR * flow)) : 0;

  const least = 0.15 + 0.1 * schedule.presence(t);
  const freshAir = outdoorShare({ outdoor, returned, wanted: setpoint - fanHeat, least }) * blowing;
  const mixed = returned + freshAir * (outdoor - returned);
  const airHeat = HEAT_OF_AIR * flow;
  const excess = airHeat * (mixed + fanHeat - setpoint);
  const coil = cooled(setup, { excess, mixed, flow, outdoor });

  const jammed = valve.level(t, 8_000, 15_000) * blowing;
  const sag = 0.8 * jammed;
  const cooling = coil.cooling + (coil.atMost - coil.cooling) * jammed;
  const heating = Math.max(0, cooling - excess - airHeat * sag);
  return {
    supply: setpoint - sag,
    mixed,
    returned,
    flow,
    speed,
    fanPower,
    cooling,
    heating,
    coilLoad: cooling * coil.moisture,
    damper: 100 * freshAir,
    valveCommand: settled(coil.valve * (1 - valve.level(t, 45_000, 20_000))),
    valvePosition: coil.valve + (100 - coil.valve) * valve.level(t, 8_000, 15_000),
    heatingValve: clamp((100 * heating) / (HEAT_OF_AIR * fullFlow * 20), 0, 100),
  };
}

function zonesTogether(zones: readonly Zone[], t: number): { asked: number; returned: number } {
  let [asked, heat, weight] = [0, 0, 0];
  for (const zone of zones) {
    const { wantedFlow, temperature } = zone.state(t);
    asked += wantedFlow;
    heat += zone.largestFlow * temperature;
    weight += zone.largestFlow;
  }
  return { asked, returned: heat / weight + 0.4 }; // The ceiling's lamps add 0.4 K.
}

/** Free cooling: as much outdoor air as brings the mixture to what is wanted, but never less than people need. */
function outdoorShare({
  outdoor,
  returned,
  wanted,
  least,
}: {
  outdoor: number;
  returned: number;
  wanted: number;
  least: number;
}): number {
  const helps = clamp((returned - 1.5 - outdoor) / 2, 0, 1);
  if (helps === 0) return least;
  return least + (clamp((returned - wanted) / (returned - outdoor), least, 1) - least) * helps;
}

interface Air {
  /** kW above the setpoint. */
  readonly excess: number;
  readonly mixed: number;
  readonly flow: number;
  readonly outdoor: number;
}

/** What the coil takes from the air and how far its valve opens for it; `atMost` is the coil with its valve wide open. */
function cooled(
  { flow: fullFlow }: AhuSetup,
  { excess, mixed, flow, outdoor }: Air,
): { cooling: number; atMost: number; valve: number; moisture: number } {
  const moisture = 1 + 0.3 * clamp((outdoor - 20) / 8, 0, 1);
  const byWater = (HEAT_OF_AIR * fullFlow * 22 * Math.max(1, mixed - CHILLED_WATER)) / 19;
  const byAir = HEAT_OF_AIR * flow * Math.max(0, mixed - CHILLED_WATER - 2);
  const atMost = Math.min(byWater / moisture, byAir);
  const cooling = Math.max(0, excess);
  return {
    cooling,
    atMost: Math.max(atMost, cooling),
    moisture,
    valve: 100 * clamp((cooling * moisture) / byWater, 0, 1) ** 0.8,
  };
}

/** A fan that has run out stands still, a valve that is as good as shut is shut. */
const settled = (x: number): number => (x < 0.001 ? 0 : x);
