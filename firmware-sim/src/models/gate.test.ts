import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventsOn, eventTimes, lastNotAfter, officeDay, PLAN_DAYS } from './day-plan.ts';
import { createGate } from './gate.ts';
import { createLeakSensor } from './leak-sensor.ts';
import { DAY_MS } from './site-clock.ts';
import { at, clock, instants } from './testing.ts';
import { createWeather } from './weather.ts';

const gate = createGate({ key: 'gate', seed: 5, clock, passes: 400, way: 'both' }).quantities;
const read = (quantity: string, t: number): number => gate.get(quantity)!(t);

test('the events of a day come in order, within the day, most of them by day', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 800 }), fc.nat(PLAN_DAYS - 1), fc.integer(), (count, day, seed) => {
      const times = eventTimes(count, officeDay, day, seed);
      expect(times).toHaveLength(count);
      expect(times.every((t, n) => t >= (times[n - 1] ?? 0) && t < DAY_MS)).toBe(true);
      const byDay = times.filter((t) => t > 7 * 3_600_000 && t < 19 * 3_600_000).length;
      if (count > 50) expect(byDay / count).toBeGreaterThan(0.7);
    }),
  );
});

test('Sundays are quiet, and no day is empty', () => {
  const week = [0, 1, 2, 3, 4, 5, 6].map((weekday) => eventsOn(weekday, weekday, 300, 9));
  expect(week[0]).toBeLessThan(week[6]!);
  expect(week[6]).toBeLessThan(week[3]!);
  expect(eventsOn(0, 0, 1, 9)).toBe(1);
});

test.each([
  [0, -1],
  [1, 0],
  [4.9, 1],
  [5, 4],
  [9, 4],
])('the last element not after %d is number %d', (x, index) => {
  expect(lastNotAfter([1, 3, 5, 5, 5], x, (n) => n)).toBe(index);
});

test('each car finds the barrier open, and is counted once', () => {
  const steps = instants(at('2026-11-23 07:30'), 14_400, 500);
  let counted = 0;
  let opened = 0;
  for (const t of steps) {
    const total = (at: number): number => read('passes_in', at) + read('passes_out', at);
    const passed = total(t) - total(t - 500);
    expect([0, 1]).toContain(passed);
    if (passed === 1) expect([read('barrier_open', t), read('loop_occupied', t)]).toEqual([1, 1]);
    counted += passed;
    if (read('barrier_open', t) > read('barrier_open', t - 500)) opened += 1;
    expect(read('forced_open', t)).toBe(0);
  }
  expect(counted).toBeGreaterThan(40);
  expect(opened).toBeGreaterThan(20);
  expect(opened).toBeLessThanOrEqual(counted);
});

test('counts run on over midnights and the end of the plan', () => {
  const days = instants(at('2026-10-20 00:00'), 40, DAY_MS);
  for (const t of days.slice(1)) {
    expect(read('passes_in', t)).toBe(read('passes_in', t - 1));
    expect(read('passes_in', t)).toBeGreaterThan(read('passes_in', t - DAY_MS));
  }
});

test.each([
  ['in', 'passes_out'],
  ['out', 'passes_in'],
] as const)('a gate for the way %s counts nothing the other way', (way, other) => {
  const { quantities } = createGate({ key: 'gate', seed: 5, clock, passes: 400, way });
  expect(quantities.get(other)!(at('2026-11-23 12:00'))).toBe(0);
});

test('a leak sensor stands dry, in air that fits the season, on a battery that is changed in time', () => {
  const { quantities } = createLeakSensor({ key: 'leak', seed: 5, clock, weather: createWeather(clock, 5) });
  for (const t of instants(at('2025-01-01 00:00'), 3_000, 5.3 * 3_600_000)) {
    const [leak, temperature, humidity, battery] = [...quantities.values()].map((value) => value(t));
    expect(leak).toBe(0);
    expect(temperature! > 12 && temperature! < 29).toBe(true);
    expect(humidity! >= 30 && humidity! <= 80).toBe(true);
    expect(battery! >= 68 && battery! <= 98).toBe(true);
  }
});
