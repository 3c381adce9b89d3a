import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hourProfile } from './hour-profile.ts';
import { fillOutages, readHourlyData } from './hourly-data.ts';
import { createSeriesLoad, createSumLoad, HOUR_MS } from './load.ts';
import { createQuantities, type Quantities } from './quantities.ts';

const mean = fc.double({ min: 0, max: 500, noNaN: true });
const anyHours = fc.record({ before: mean, here: mean, after: mean });

test('an hour’s profile keeps the hour’s energy, starts at nothing and never falls', () => {
  fc.assert(
    fc.property(anyHours, fc.integer(), fc.nat(), (hours, seed, hour) => {
      expect(hourProfile(hours, 0, seed, hour).energy).toBe(0);
      expect(hourProfile(hours, 1, seed, hour).energy).toBeCloseTo(hours.here, 9);
      let last = 0;
      for (let u = 0; u <= 1; u += 1 / 97) {
        const { power, energy } = hourProfile(hours, u, seed, hour);
        expect(power).toBeGreaterThanOrEqual(-1e-9);
        expect(energy).toBeGreaterThanOrEqual(last - 1e-9);
        last = energy;
      }
    }),
  );
});

test('power is the slope of energy', () => {
  const hours = { before: 40, here: 90, after: 60 };
  for (let u = 0.01; u < 0.99; u += 0.013) {
    const step = 1e-6;
    const slope =
      (hourProfile(hours, u + step, 5, 9).energy - hourProfile(hours, u - step, 5, 9).energy) / (2 * step);
    expect(slope).toBeCloseTo(hourProfile(hours, u, 5, 9).power, 2);
  }
});

test('power meets without a step where hours meet', () => {
  const [a, b, c, d] = [10, 80, 30, 0];
  const end = hourProfile({ before: a, here: b, after: c }, 1 - 1e-12, 1, 1).power;
  const start = hourProfile({ before: b, here: c, after: d }, 0, 1, 2).power;
  expect(end).toBeCloseTo(start, 6);
});

const load = createSeriesLoad(
  Float64Array.from({ length: 168 }, (_, hour) => (hour % 24) * 3),
  11,
  { origin: 0 },
);

test('energy runs on over the end of the series, hour by hour what the series says', () => {
  for (const hour of [0, 23, 167, 168, 169, 5_000]) {
    const used = load.energy((hour + 1) * HOUR_MS) - load.energy(hour * HOUR_MS);
    expect(used).toBeCloseTo(((hour % 168) % 24) * 3, 6);
  }
});

test('a time before the series is refused', () => {
  expect(() => load.energy(-1)).toThrow(/the series begins at 1970/);
});

test('a sum is its parts times its losses', () => {
  const sum = createSumLoad([load, load], 1.5);
  expect([sum.power(9e6), sum.energy(9e6)]).toEqual([load.power(9e6) * 3, load.energy(9e6) * 3]);
});

const at = (quantities: Quantities, key: string, t: number): number => quantities.get(key)!(t);
const setup = { key: 'm', start: 100, load, seed: 3 };
const instants = Array.from({ length: 200 }, (_, n) => 50_000_000 + n * 17_321_000);

test('three phases carry the power together, and current follows from power, voltage and power factor', () => {
  const meter = createQuantities({ ...setup, kind: 'three-phase-meter' });
  for (const t of instants) {
    const total = [1, 2, 3].reduce((sum, phase) => sum + at(meter, `active_power_l${phase}`, t), 0);
    const electric = [1, 2, 3].reduce(
      (sum, phase) =>
        sum +
        (at(meter, `voltage_l${phase}_n`, t) *
          at(meter, `current_l${phase}`, t) *
          at(meter, 'power_factor_total', t)) /
          1000,
      0,
    );
    expect(total).toBeCloseTo(at(meter, 'active_power_total', t), 9);
    expect(electric).toBeCloseTo(total, 9);
    expect(Math.abs(at(meter, 'voltage_l1_n', t) - 230)).toBeLessThan(4);
    expect(Math.abs(at(meter, 'frequency', t) - 50)).toBeLessThan(0.05);
    expect(at(meter, 'active_energy_import', t)).toBe(100 + load.energy(t));
  }
});

test('heat is flow times temperature difference times what water holds; without heat nothing flows', () => {
  const meter = createQuantities({ ...setup, kind: 'heat-meter' });
  for (const t of instants) {
    const difference = at(meter, 'supply_temperature', t) - at(meter, 'return_temperature', t);
    expect(difference).toBeGreaterThan(10);
    expect(at(meter, 'flow', t) * difference * 1.163).toBeCloseTo(at(meter, 'heat_power', t), 9);
  }
  const off = createQuantities({ ...setup, kind: 'heat-meter', load: createSumLoad([], 1) });
  expect(at(off, 'flow', 5e7)).toBe(0);
});

test('water volume is the integral of its flow', () => {
  const meter = createQuantities({ ...setup, kind: 'water-meter' });
  expect(at(meter, 'volume', 5e7)).toBe(100 + load.energy(5e7));
  expect(at(meter, 'flow', 5e7)).toBe(load.power(5e7));
});

test('a kind nobody modelled is refused', () => {
  expect(() => createQuantities({ ...setup, kind: 'gas-meter' })).toThrow(
    'no model for a gas-meter (meter m)',
  );
});

test('an outage takes the same hour of the week before, in the first week of the week at the end', () => {
  const hours = Float64Array.from({ length: 336 }, (_, hour) => hour + 1);
  hours[200] = 0;
  hours[5] = 0;
  const filled = fillOutages(hours);
  expect([filled[200], filled[5], filled[6]]).toEqual([33, 174, 7]);
});

test('the real data has 104 weeks, no electricity hour without a load, and heating off in summer', () => {
  const data = readHourlyData();
  for (const [name, hours] of data) {
    expect(hours).toHaveLength(104 * 168);
    expect(hours.every((value) => value >= 0)).toBe(true);
    if (!name.startsWith('gas-')) expect([name, hours.indexOf(0)]).toEqual([name, -1]);
  }
  expect(data.get('gas-b120')?.includes(0)).toBe(true);
});
