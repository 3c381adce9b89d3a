import { expect, test } from 'vitest';
import { createBoiler } from './boiler.ts';
import { createFcu } from './fcu.ts';
import { createSchedule } from './schedule.ts';
import { createSiteClock } from './site-clock.ts';
import { createWeather } from './weather.ts';

const origin = Date.UTC(2020, 11, 31, 16);
const clock = createSiteClock(origin);
const weather = createWeather(clock, 7);
const setup = { key: 'one', seed: 7, clock, weather };
/** Every 37 minutes of two years: at all hours of all seasons. */
const instants = Array.from({ length: 1_000 }, (_, n) => origin + n * 17.7 * 3_600_000);
const at = (quantities: ReadonlyMap<string, (t: number) => number>, key: string, t: number): number =>
  quantities.get(key)!(t);

test('what a boiler burns is what its water carries away, at any time', () => {
  const { quantities } = createBoiler({ ...setup, rated: 400 });
  for (const t of instants) {
    const [supply, back] = ['supply', 'return'].map((end) =>
      at(quantities, `hot_water_${end}_temperature`, t),
    );
    const carried = 1.163 * at(quantities, 'hot_water_flow', t) * (supply! - back!);
    expect(carried).toBeCloseTo(4 * at(quantities, 'firing_rate', t), 6);
    expect(Math.abs(supply! - at(quantities, 'hot_water_supply_temperature_setpoint', t))).toBeLessThan(4);
  }
});

test('a fan coil never heats and cools at once, blows what its coil makes, and holds the room', () => {
  const { quantities } = createFcu({ ...setup, schedule: createSchedule(clock) });
  let both = { heating: 0, cooling: 0 };
  for (const t of instants) {
    const read = (key: string): number => at(quantities, key, t);
    const [cooling, heating] = [read('cooling_valve_command'), read('heating_valve_command')];
    both = { heating: both.heating + Math.sign(heating), cooling: both.cooling + Math.sign(cooling) };
    expect(Math.min(cooling, heating)).toBe(0);
    if (read('fan_command') === 0) expect([cooling, heating, read('fan_speed')]).toEqual([0, 0, 0]);
    const blown = read('discharge_air_temperature') - read('zone_air_temperature');
    expect(Math.sign(Math.round(blown * 1e6))).toBe(Math.sign(Math.round((heating - cooling) * 1e6)));
    expect(Math.abs(read('zone_air_temperature') - read('zone_air_temperature_setpoint'))).toBeLessThan(2);
  }
  expect(both.heating).toBeGreaterThan(50);
  expect(both.cooling).toBeGreaterThan(50);
});
