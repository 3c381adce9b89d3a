import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { noTroubles } from '../troubles.ts';
import { type Ahu, createAhu, supplySetpoint } from './ahu.ts';
import { createChiller } from './chiller.ts';
import { createSchedule } from './schedule.ts';
import { DAY_MS, ROUND_MS } from './site-clock.ts';
import { at, clock, demo, instants, origin, play, reader } from './testing.ts';
import { createZone, HEAT_OF_AIR } from './vav.ts';
import { createWeather } from './weather.ts';

const never = noTroubles('', 'fan-fails');
const weather = createWeather(clock, 7);
const schedule = createSchedule(clock);
const shared = { seed: 7, clock, weather, schedule, fan: never };
const zones = [1, 0.9, 1.2].map((gain, n) =>
  createZone({
    ...shared,
    ...{ key: `zone-${n}`, flow: 3_000 + 500 * n, gain },
    supplyTemperature: (t) => supplySetpoint(weather.outdoor(t)),
  }),
);
const ahu: Ahu = createAhu({ ...shared, key: 'ahu', flow: 10_000, zones, valve: never });
const chiller = createChiller({ ...shared, key: 'plant', ahus: [ahu], rated: 200, process: 40 });

/** Any minute of six years. */
const anyTime = fc.integer({ min: 0, max: 6 * 365 * 24 * 60 }).map((minute) => origin + minute * 60_000);
const always = (holds: (t: number) => void): void => {
  fc.assert(fc.property(anyTime, holds), { numRuns: 400 });
};

describe('what is taken away is what came in', () => {
  test('a zone: load and reheat are what the air carries off, and the terminal is never too small', () => {
    always((t) => {
      for (const zone of zones) {
        const { load, reheat, flow, wantedFlow, temperature } = zone.state(t);
        const carried = HEAT_OF_AIR * flow * (temperature - supplySetpoint(weather.outdoor(t)));
        expect(load + reheat).toBeCloseTo(carried, 9);
        expect(reheat).toBeGreaterThanOrEqual(0);
        expect(wantedFlow).toBeLessThan(zone.largestFlow);
      }
    });
  });

  test('an air handling unit: the coils take and give what brings mixed air to the setpoint', () => {
    always((t) => {
      const { mixed, supply, flow, fanPower, cooling, heating } = ahu.state(t);
      const fanHeat = Math.min(3, (0.9 * fanPower) / (HEAT_OF_AIR * flow));
      expect(cooling - heating).toBeCloseTo(HEAT_OF_AIR * flow * (mixed + fanHeat - supply), 9);
      expect(Math.min(cooling, heating)).toBe(0);
      expect(flow).toBeCloseTo(
        zones.reduce((sum, zone) => sum + zone.state(t).flow, 0),
        9,
      );
    });
  });

  test('the plant: its water carries what coils and server rooms give it', () => {
    always((t) => {
      const { cooling, flow, returned, power } = chiller.state(t);
      expect(1.163 * flow * (returned - 7)).toBeCloseTo(cooling, 9);
      expect(Math.abs(cooling - ahu.state(t).coilLoad - 40)).toBeLessThan(40 * 0.061);
      expect(cooling / power).toBeGreaterThan(2.5);
      expect(cooling / power).toBeLessThan(7);
    });
  });
});

test('mixed air lies between return and outdoor air, by the damper', () => {
  always((t) => {
    const { mixed, returned, damper } = ahu.state(t);
    expect(mixed).toBeCloseTo(returned + (damper / 100) * (weather.outdoor(t) - returned), 9);
    expect(damper).toBeGreaterThanOrEqual(15);
    expect(damper).toBeLessThanOrEqual(100);
  });
});

test('the fan draws with the third power of its speed', () => {
  const [one, other] = [at('2026-07-22 15:00'), at('2026-01-18 03:00')].map((t) => ahu.state(t));
  expect(one!.speed).toBeGreaterThan(other!.speed * 1.5);
  expect(one!.fanPower / other!.fanPower).toBeCloseTo((one!.speed / other!.speed) ** 3, 9);
});

test('hot afternoons need the valve, cold nights free cooling alone', () => {
  const [summer, winter] = [ahu.state(at('2026-07-22 15:00')), ahu.state(at('2026-01-18 03:00'))];
  expect(summer.valvePosition).toBeGreaterThan(30);
  expect(winter.valvePosition).toBe(0);
  expect(chiller.state(at('2026-07-22 15:00')).power).toBeGreaterThan(
    1.5 * chiller.state(at('2026-01-18 03:00')).power,
  );
});

test('all repeats after 104 weeks, and meets without a step there', () => {
  const t = at('2022-06-08 14:17');
  expect(chiller.state(t + ROUND_MS).power).toBeCloseTo(chiller.state(t).power, 9);
  const seam = origin + ROUND_MS;
  expect(Math.abs(weather.outdoor(seam) - weather.outdoor(seam - 1000))).toBeLessThan(0.01);
  expect(Math.abs(chiller.state(seam).power - chiller.state(seam - 1000).power)).toBeLessThan(0.01);
});

test.each([
  ['a working day at noon', '2026-11-23 12:00', 1],
  ['just before opening', '2026-11-23 06:59', 0],
  ['closing time', '2026-11-23 19:00', 0],
  ['Saturday morning', '2026-11-28 09:00', 1],
  ['Saturday afternoon', '2026-11-28 15:00', 0],
  ['Sunday', '2026-11-22 12:00', 0],
])('%s (%s) counts as occupied: %d', (_when, local, occupied) => {
  expect(schedule.occupied(at(local))).toBe(occupied);
});

test('summers are hot and winters cold, afternoons warmer than nights', () => {
  const mean = (day: string, hour: number): number => {
    const days = instants(at(`${day} 00:00`) + hour * 3_600_000, 30, DAY_MS);
    return days.reduce((sum, t) => sum + weather.outdoor(t), 0) / days.length;
  };
  expect(mean('2026-07-10', 15)).toBeGreaterThan(27);
  expect(mean('2026-01-05', 4)).toBeLessThan(7);
  expect(mean('2026-04-05', 15) - mean('2026-04-05', 3)).toBeGreaterThan(4);
});

/** Unit by unit what a year may show. */
const plausible: Readonly<Record<string, readonly [low: number, high: number]>> = {
  supply_air_temperature: [13, 19],
  return_air_temperature: [20, 27],
  mixed_air_temperature: [14, 30],
  outdoor_air_temperature: [-8, 40],
  supply_air_pressure: [140, 270],
  supply_fan_speed: [25, 95],
  supply_fan_power: [0.05, 6.5],
  cooling_valve_command: [0, 95],
  heating_valve_command: [0, 60],
  outdoor_air_damper_command: [15, 100],
  filter_pressure_drop: [2, 160],
  return_air_co2: [420, 1_000],
  zone_air_temperature: [20, 26.5],
  supply_air_flow: [500, 4_300],
  damper_command: [30, 100],
  reheat_valve_command: [0, 90],
  discharge_air_temperature: [13, 40],
  chilled_water_supply_temperature: [6.5, 7.5],
  chilled_water_return_temperature: [10, 13],
  chilled_water_flow: [10, 46],
  condenser_water_supply_temperature: [15, 34],
  condenser_water_return_temperature: [16, 39],
  cooling_power: [50, 270],
  active_power_total: [10, 70],
  compressor_load: [15, 95],
};

test('over a year the demo park shows numbers only, and plausible ones', () => {
  const devices = play();
  const read = reader(devices);
  const times = instants(at('2025-11-20 00:00'), 1_500, 5.84 * 3_600_000);
  for (const { key, kind } of demo.equipment.filter(({ kind }) => ['ahu', 'vav', 'chiller'].includes(kind)))
    for (const quantity of devices.get(key)!.quantities.keys()) {
      const values = times.map((t) => read(key, quantity, t));
      const [low, high] = [Math.min(...values), Math.max(...values)];
      expect([kind, key, quantity, Number.isFinite(low + high)]).toEqual([kind, key, quantity, true]);
      const range = plausible[quantity];
      if (!range) continue;
      const fits = low >= range[0] && high <= range[1];
      expect(`${key} ${quantity} ${low}..${high} fits: ${fits}`).toContain('fits: true');
    }
});
