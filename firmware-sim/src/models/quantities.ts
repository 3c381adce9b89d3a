import type { Load } from './load.ts';
import { seedOf, wave } from './noise.ts';

/** Value of a quantity at Unix ms, in the unit of its key (kW, kWh, V, A, Hz, m³, m³/h, °C, 1). */
export type Quantities = ReadonlyMap<string, (t: number) => number>;

export interface MeterSetup {
  readonly key: string;
  readonly kind: string;
  /** Register at the origin of the series. */
  readonly start: number;
  readonly load: Load;
  /** Of the park: what all its meters share, like the grid's frequency. */
  readonly seed: number;
}

const MINUTE_MS = 60_000;

/** kWh that one m³ of water carries for each kelvin. */
const HEAT_OF_WATER = 1.163;

/** @throws Error for a kind nobody has modelled. */
export function createQuantities(setup: MeterSetup): Quantities {
  const { kind } = setup;
  if (kind === 'three-phase-meter') return threePhase(setup);
  if (kind === 'water-meter') return water(setup);
  if (kind === 'heat-meter') return heat(setup);
  throw new Error(`no model for a ${kind} (meter ${setup.key})`);
}

/** Power is split over the phases, and the current follows from power, voltage and power factor: P = sum of V x I x PF. */
function threePhase({ key, load, start, seed }: MeterSetup): Quantities {
  const own = seedOf(seed, key);
  const phases = [1, 2, 3] as const;
  const weight = (phase: number, t: number) => 1 + 0.08 * wave(own + phase, t, 20 * MINUTE_MS);
  const share = (phase: number, t: number) =>
    weight(phase, t) / phases.reduce((sum, p) => sum + weight(p, t), 0);
  const power = (phase: number, t: number) => load.power(t) * share(phase, t);
  const voltage = (phase: number, t: number) =>
    230 + 2.5 * wave(seed + phase, t, 10 * MINUTE_MS) + 0.4 * wave(own + 10 + phase, t, MINUTE_MS / 2);
  const factor = (t: number) => 0.94 + 0.03 * wave(own + 20, t, 15 * MINUTE_MS);
  const current = (phase: number, t: number) => (power(phase, t) * 1000) / (voltage(phase, t) * factor(t));

  return new Map<string, (t: number) => number>([
    ['active_power_total', (t) => load.power(t)],
    ['active_energy_import', (t) => start + load.energy(t)],
    ['power_factor_total', factor],
    ['frequency', (t) => 50 + 0.03 * wave(seed + 40, t, MINUTE_MS)],
    ...phases.flatMap((phase): [string, (t: number) => number][] => [
      [`voltage_l${phase}_n`, (t) => voltage(phase, t)],
      [`current_l${phase}`, (t) => current(phase, t)],
      [`active_power_l${phase}`, (t) => power(phase, t)],
    ]),
  ]);
}

function water({ load, start }: MeterSetup): Quantities {
  return new Map<string, (t: number) => number>([
    ['flow', (t) => load.power(t)],
    ['volume', (t) => start + load.energy(t)],
  ]);
}

/** Supply and return temperature wander; the flow is what carries the power at their difference. No heat, no flow. */
function heat({ key, load, start, seed }: MeterSetup): Quantities {
  const own = seedOf(seed, key);
  const supply = (t: number) => 65 + 6 * wave(own, t, 180 * MINUTE_MS);
  const difference = (t: number) => 18 + 4 * wave(own + 1, t, 45 * MINUTE_MS);
  return new Map<string, (t: number) => number>([
    ['heat_power', (t) => load.power(t)],
    ['heat_energy', (t) => start + load.energy(t)],
    ['flow', (t) => load.power(t) / (HEAT_OF_WATER * difference(t))],
    ['supply_temperature', supply],
    ['return_temperature', (t) => supply(t) - difference(t)],
  ]);
}
