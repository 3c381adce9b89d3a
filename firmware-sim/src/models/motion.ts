/** A car that is sped up and slowed down evenly, with a stretch of full speed between. */
const FULL_SPEED = 1.75;
const ACCELERATION = 0.8;
const SPEEDING_UP_S = FULL_SPEED / ACCELERATION;
const SPEEDING_UP_M = (FULL_SPEED * SPEEDING_UP_S) / 2;

/** Shortest way on which full speed is reached, m. */
export const SHORTEST_WAY = 2 * SPEEDING_UP_M;

/** Seconds for a way of at least {@link SHORTEST_WAY} metres. */
export const secondsFor = (way: number): number => way / FULL_SPEED + SPEEDING_UP_S;

/** Where the car is and how fast, `s` seconds after it left; both towards its goal. m, m/s. */
export function motion(way: number, s: number): { done: number; speed: number; isSpeedingUp: boolean } {
  const left = secondsFor(way) - s;
  if (left <= 0) return { done: way, speed: 0, isSpeedingUp: false };
  if (s < SPEEDING_UP_S)
    return { done: (ACCELERATION * s * s) / 2, speed: ACCELERATION * s, isSpeedingUp: true };
  if (left < SPEEDING_UP_S)
    return { done: way - (ACCELERATION * left * left) / 2, speed: ACCELERATION * left, isSpeedingUp: false };
  return { done: SPEEDING_UP_M + FULL_SPEED * (s - SPEEDING_UP_S), speed: FULL_SPEED, isSpeedingUp: false };
}

const MASS_T = 2;
const FRICTION_KN = 0.4;

/** kN between a full and an empty car; the counterweight balances a car with 45 % of its load. */
const FULL_LOAD_KN = 10;

/** Force that the motor needs at even speed, kN. What a falling weight gives back is burnt in a resistor. */
const force = (direction: number, load: number): number =>
  FRICTION_KN + Math.max(0, direction * (load / 100 - 0.45) * FULL_LOAD_KN);

/** kW of the motor. @param direction 1 up, -1 down. @param load % of the rated load. */
export function motorPower(way: number, s: number, direction: number, load: number): number {
  const { speed, isSpeedingUp } = motion(way, s);
  return speed * (force(direction, load) + (isSpeedingUp ? MASS_T * ACCELERATION : 0));
}

/** kWh of the motor since it left: the integral of {@link motorPower}. */
export function motorEnergy(way: number, s: number, direction: number, load: number): number {
  const { done, speed, isSpeedingUp } = motion(way, s);
  const kinetic = (MASS_T * (isSpeedingUp ? speed : FULL_SPEED) ** 2) / 2;
  return (force(direction, load) * done + kinetic) / 3600;
}
