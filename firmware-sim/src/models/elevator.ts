import { standingStill, type Trouble } from '../troubles.ts';
import { createPlans, eventsOn, lastNotAfter } from './day-plan.ts';
import { doors, elevatorDay, FLOOR_HEIGHT, type Visit } from './elevator-plan.ts';
import type { Load } from './load.ts';
import { motion, motorEnergy, motorPower } from './motion.ts';
import { seedOf } from './noise.ts';
import type { Quantities } from './quantities.ts';
import { remembering, type SiteClock } from './site-clock.ts';

const HOUR_MS = 3_600_000;

/** Controller, lamp and fan of the car, kW. */
const STANDBY = 0.25;

const direction = { none: 0, up: 1, down: 2 } as const;
const door = { closed: 0, open: 1, moving: 2 } as const;

export interface ElevatorSetup {
  readonly key: string;
  readonly seed: number;
  readonly clock: SiteClock;
  /** Floor numbers from the lowest to the highest; 0, or else the lowest, is where the car waits. */
  readonly floors: readonly number[];
  /** Of people on a working day. */
  readonly journeys: number;
  /** The safety chain has opened on the way: the car hangs between floors. */
  readonly stopped: Trouble;
}

interface CarState {
  /** In floors, from the lowest served one. */
  readonly height: number;
  /** m/s */
  readonly speed: number;
  readonly direction: number;
  readonly door: number;
  /** % */
  readonly load: number;
  /** kW */
  readonly power: number;
}

export interface Elevator {
  readonly quantities: Quantities;
  /** What its motor and controller draw. */
  readonly load: Load;
}

/** A car that follows the day's calls. */
export function createElevator(setup: ElevatorSetup): Elevator {
  const { clock, floors, stopped } = setup;
  const { planned, motorEnergy: planEnergy, journeys: planJourneys } = createPlan(setup);
  const state = remembering((t: number): CarState => {
    const since = stopped.since(t);
    return since === undefined ? planned(t) : hanging(planned(since), floors.length);
  });
  const energy = standingStill(stopped, planEnergy);
  const nearest = (t: number): number => Math.min(floors.length - 1, Math.round(state(t).height));

  return {
    quantities: new Map<string, (t: number) => number>([
      ['car_floor', (t) => floors[nearest(t)]!],
      ['car_speed', (t) => state(t).speed],
      ['direction', (t) => state(t).direction],
      ['door_state', (t) => state(t).door],
      ['load_percent', (t) => state(t).load],
      ['in_service', () => 1],
      ['between_floors', (t) => (stopped.since(t) === undefined ? 0 : 1)],
      ['trip_count', standingStill(stopped, planJourneys)],
      ['motor_power', (t) => state(t).power],
    ]),
    load: {
      power: (t) => state(t).power,
      energy: (t) => energy(t) + (STANDBY * (t - clock.origin)) / HOUR_MS,
    },
  };
}

/** What the car would do if nothing stopped it: its state, and motor energy (kWh) and journeys since the origin. */
interface CarPlan {
  planned(t: number): CarState;
  motorEnergy(t: number): number;
  journeys(t: number): number;
}

function createPlan({ key, seed: parkSeed, clock, floors, journeys }: ElevatorSetup): CarPlan {
  const seed = seedOf(parkSeed, key);
  const lobby = Math.max(0, floors.indexOf(0));
  const plans = createPlans(clock, (day, weekday) => {
    const count = eventsOn(day, weekday, journeys, seed);
    return elevatorDay({ count, floors: floors.length, lobby, day, seed });
  });
  const total =
    (until: (plan: readonly Visit[], ms: number) => number, ofDay: (plan: readonly Visit[]) => number) =>
    (t: number): number => {
      const { plan, midnight } = plans.at(t);
      return plans.before(t, ofDay) + until(plan, t - midnight);
    };
  return {
    planned(t) {
      const { plan, midnight } = plans.at(t);
      return carState(plan, lobby, t - midnight);
    },
    motorEnergy: total(energyUntil, energyOfDay),
    journeys: total(journeysUntil, journeysOfDay),
  };
}

function carState(plan: readonly Visit[], lobby: number, ms: number): CarState {
  const visit = plan[lastNotAfter(plan, ms, ({ start }) => start)];
  if (!visit)
    return { height: lobby, speed: 0, direction: direction.none, door: door.closed, load: 0, power: STANDBY };
  const { from, to, load } = visit;
  const sign = Math.sign(to - from);
  if (ms >= visit.end)
    return {
      height: to,
      speed: 0,
      direction: direction.none,
      door: visit.opensDoors ? doorState(ms - visit.end) : door.closed,
      load: ms - visit.end < doors.opening ? load : 0,
      power: STANDBY,
    };
  const way = Math.abs(to - from) * FLOOR_HEIGHT;
  const s = (ms - visit.start) / 1000;
  const { done, speed } = motion(way, s);
  return {
    height: from + (sign * done) / FLOOR_HEIGHT,
    speed,
    direction: sign > 0 ? direction.up : direction.down,
    door: door.closed,
    load,
    power: STANDBY + motorPower(way, s, sign, load),
  };
}

function doorState(ms: number): number {
  if (ms < doors.opening) return door.moving;
  if (ms < doors.opening + doors.open) return door.open;
  return ms < doors.opening + doors.open + doors.closing ? door.moving : door.closed;
}

/** Where it was between two floors it stays; a car that stood at one has just left it. */
function hanging({ height, direction: was, load }: CarState, floors: number): CarState {
  const isDown = was === direction.none ? Math.round(height) === floors - 1 : was === direction.down;
  const rest = height - Math.floor(height);
  const isBetween = rest > 0.15 && rest < 0.85;
  const off = isBetween ? height : Math.round(height) + (isDown ? -0.4 : 0.4);
  return {
    height: Math.min(floors - 1.4, Math.max(0.4, off)),
    speed: 0,
    direction: direction.none,
    door: door.closed,
    load,
    power: STANDBY,
  };
}

/** kWh of the motor from midnight to `ms` after it. */
function energyUntil(plan: readonly Visit[], ms: number): number {
  let sum = 0;
  for (const { start, end, from, to, load } of plan) {
    if (start > ms) break;
    if (from === to) continue;
    const s = (Math.min(ms, end) - start) / 1000;
    sum += motorEnergy(Math.abs(to - from) * FLOOR_HEIGHT, s, Math.sign(to - from), load);
  }
  return sum;
}

function journeysUntil(plan: readonly Visit[], ms: number): number {
  let sum = 0;
  for (const { end, journeys } of plan) if (end <= ms) sum += journeys;
  return sum;
}

const energyOfDay = (plan: readonly Visit[]): number => energyUntil(plan, Infinity);
const journeysOfDay = (plan: readonly Visit[]): number => journeysUntil(plan, Infinity);
