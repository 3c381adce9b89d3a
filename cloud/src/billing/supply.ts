import { divideHalfUp, pow10 } from '../metering/index.ts';
import type { Consumption } from './consumption.ts';
import { findPeak } from './measures.ts';
import { type Line, priceLines, sumByRate, totalCents } from './price.ts';
import type { Tariff } from './scenario.ts';
import type { Rate } from './schedule.ts';

/** What the utility bills for the whole supply. Amounts in cents. */
export interface SupplyBill {
  readonly lines: readonly Line[];
  readonly energy: bigint;
  /** The second part of the tariff: demand, or capacity where that is agreed. */
  readonly demand: bigint;
  readonly powerFactor: bigint;
  readonly total: bigint;
  /** Grid index of the interval with the highest mean. */
  readonly peak: number;
  /** Highest mean power, in steps of 10^-energyScale kW. */
  readonly peakPower: bigint;
}

export function billSupply(tariff: Tariff, consumption: Consumption, rates: readonly Rate[]): SupplyBill {
  const { points, billed, energyScale, grid } = consumption;
  const supply = points.find(({ usagePoint }) => usagePoint.role === 'supply')!;
  const lines = priceLines(sumByRate(supply.through, rates, billed), energyScale);
  const energy = totalCents(lines);
  const peak = findPeak(supply, billed);
  const peakPower = supply.through[peak]! * BigInt(3_600_000 / grid.intervalMs);
  const demand = chargeDemand(tariff, peakPower, energyScale);
  const rate = tariff.powerFactorRate;
  const powerFactor = rate ? divideHalfUp((energy + demand) * rate.units, pow10(rate.scale)) : 0n;
  return { lines, energy, demand, powerFactor, total: energy + demand + powerFactor, peak, peakPower };
}

function chargeDemand({ capacityCharge: charge }: Tariff, peakPower: bigint, energyScale: number): bigint {
  if (!charge) return 0n;
  const [quantity, scale] =
    charge.kind === 'capacity'
      ? [charge.kva.units, charge.kva.scale]
      : [peakPower > 0n ? peakPower : 0n, energyScale];
  return divideHalfUp(quantity * charge.price.units * 100n, pow10(scale + charge.price.scale));
}
