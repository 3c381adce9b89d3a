import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTrouble, noTroubles, type Span } from '../troubles.ts';
import { PLAN_DAYS } from './day-plan.ts';
import { createElevator, type Elevator } from './elevator.ts';
import { doors, elevatorDay, FLOOR_HEIGHT } from './elevator-plan.ts';
import { motion, motorEnergy, motorPower, secondsFor, SHORTEST_WAY } from './motion.ts';
import { DAY_MS } from './site-clock.ts';
import { at, clock, instants } from './testing.ts';

const floors = [-1, 0, 1, 2];
const setup = { key: 'lift', seed: 3, clock, floors, journeys: 320 };
const never = noTroubles('lift', 'between-floors');
const lift = createElevator({ ...setup, stopped: never });
const read = ({ quantities }: Elevator, quantity: string, t: number): number => quantities.get(quantity)!(t);

test('a ride speeds up and slows down evenly and ends where it should', () => {
  fc.assert(
    fc.property(fc.double({ min: SHORTEST_WAY, max: 60, noNaN: true }), (way) => {
      const seconds = secondsFor(way);
      let before = motion(way, 0);
      const step = seconds / 400;
      for (let s = step; s <= seconds; s += step) {
        const now = motion(way, s);
        expect(now.done - before.done).toBeCloseTo(((now.speed + before.speed) / 2) * step, 2);
        expect(Math.abs(now.speed - before.speed)).toBeLessThanOrEqual(0.8 * step + 1e-9);
        before = now;
      }
      expect(motion(way, seconds).done).toBeCloseTo(way, 9);
      expect(motion(way, seconds + 1)).toEqual({ done: way, speed: 0, isSpeedingUp: false });
    }),
    { numRuns: 20 },
  );
});

test.each([
  ['a full car up', 1, 100],
  ['an empty car up', 1, 0],
  ['a full car down', -1, 100],
  ['an empty car down', -1, 0],
])('the motor’s energy is the integral of its power: %s', (_what, direction, load) => {
  const way = 3 * FLOOR_HEIGHT;
  let sum = 0;
  const step = 0.001;
  for (let s = 0; s < secondsFor(way); s += step) sum += (motorPower(way, s, direction, load) * step) / 3600;
  expect(motorEnergy(way, secondsFor(way), direction, load)).toBeCloseTo(sum, 5);
  expect(motorEnergy(way, 0, direction, load)).toBe(0);
});

test('every day the car takes everybody, one ride after the other, and stands in the lobby before midnight', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(PLAN_DAYS - 1), fc.integer({ min: 1, max: 500 }), (seed, day, count) => {
      const plan = elevatorDay({ count, floors: 4, lobby: 1, day, seed });
      let [place, free] = [1, 0];
      for (const { start, end, from, to, opensDoors, load } of plan) {
        expect(from).toBe(place);
        expect(start).toBeGreaterThanOrEqual(free);
        expect(end - start).toBeCloseTo(from === to ? 0 : 1000 * secondsFor(Math.abs(to - from) * 4), 6);
        expect(to >= 0 && to < 4 && load >= 0 && load <= 100).toBe(true);
        [place, free] = [to, end + (opensDoors ? doors.opening + doors.open + doors.closing : 0)];
      }
      expect(plan.reduce((sum, { journeys }) => sum + journeys, 0)).toBe(count);
      expect(place).toBe(1);
      expect(free).toBeLessThan(DAY_MS);
    }),
    { numRuns: 60 },
  );
});

const rush = instants(at('2026-11-23 08:00'), 7_200, 500);

test('the doors are shut while the car moves, and it goes where its direction says', () => {
  let before = read(lift, 'car_floor', rush[0]!);
  const seen = new Set<number>();
  for (const t of rush) {
    const [speed, direction, door, floor] = ['car_speed', 'direction', 'door_state', 'car_floor'].map((key) =>
      read(lift, key, t),
    ) as [number, number, number, number];
    expect(direction === 0).toBe(speed === 0);
    if (speed > 0) expect(door).toBe(0);
    const step = floor - before;
    expect(Math.abs(step)).toBeLessThanOrEqual(1);
    if (step > 0) expect(direction === 1 || speed === 0).toBe(true);
    if (step < 0) expect(direction === 2 || speed === 0).toBe(true);
    expect(read(lift, 'between_floors', t)).toBe(0);
    seen.add(floor).add(door + 10);
    before = floor;
  }
  expect([...seen].sort((a, b) => a - b)).toEqual([-1, 0, 1, 2, 10, 11, 12]);
});

test('journeys are counted one by one and run on over midnights and the end of the plan', () => {
  const count = (t: number): number => read(lift, 'trip_count', t);
  for (const t of rush.slice(1)) expect([0, 1]).toContain(count(t) - count(t - 500));
  const days = instants(at('2026-11-01 00:00'), 2 * PLAN_DAYS, DAY_MS).map(count);
  const perDay = days.slice(1).map((n, day) => n - days[day]!);
  expect(Math.min(...perDay)).toBeGreaterThan(30);
  expect(Math.max(...perDay)).toBeLessThan(370);
  expect(perDay.slice(0, PLAN_DAYS - 1)).toEqual(perDay.slice(PLAN_DAYS));
  for (const midnight of instants(at('2026-11-01 00:00'), PLAN_DAYS + 1, DAY_MS))
    expect(count(midnight)).toBe(count(midnight - 1));
});

test('energy is the integral of power', () => {
  const [from, to] = [at('2026-11-23 08:00'), at('2026-11-23 08:20')];
  let sum = 0;
  for (let t = from; t < to; t += 50) sum += (lift.load.power(t + 25) * 50) / 3_600_000;
  expect(lift.load.energy(to) - lift.load.energy(from)).toBeCloseTo(sum, 3);
});

test('a stopped car hangs between floors with shut doors, draws and counts nothing, and its totals run on after', () => {
  const spans: Span[] = [];
  const other = createElevator({ ...setup, stopped: createTrouble(() => spans) });
  for (const since of instants(at('2026-11-23 00:00'), 300, 293_000)) {
    spans[0] = [since, since + 600_000];
    const t = since + 300_000;
    for (const [quantity, value] of [
      ['between_floors', 1],
      ['car_speed', 0],
      ['door_state', 0],
      ['direction', 0],
      ['in_service', 1],
    ] as const)
      expect([quantity, read(other, quantity, t)]).toEqual([quantity, value]);
    expect(floors).toContain(read(other, 'car_floor', t));
    expect(read(other, 'trip_count', since + 599_000)).toBe(read(other, 'trip_count', since));
    expect(read(other, 'trip_count', since)).toBe(read(lift, 'trip_count', since));
    const used = other.load.energy(since + 600_000) - other.load.energy(since);
    expect(used).toBeCloseTo(0.25 / 6, 9);
    const later = since + 3_600_000;
    const missed = lift.load.energy(since + 600_000) - lift.load.energy(since) - used;
    expect(other.load.energy(later)).toBeCloseTo(lift.load.energy(later) - missed, 6);
    expect(read(other, 'between_floors', later)).toBe(0);
  }
});
