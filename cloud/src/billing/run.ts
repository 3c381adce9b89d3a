import { apportion, type Checked, divideHalfUp, pow10 } from '../metering/index.ts';
import { type Consumption, createConsumption } from './consumption.ts';
import { createMeasures, ownDirectEnergy, type OwnedEnergy } from './measures.ts';
import { type Line, priceLines, sumByRate, totalCents } from './price.ts';
import type { ReadingsByMeter } from './read-readings.ts';
import type { Scenario } from './scenario.ts';
import { createSchedule, type Rate } from './schedule.ts';
import { billSupply, type SupplyBill } from './supply.ts';
import { computeWeights, findWeightScale } from './weights.ts';

/** One month of one supply, down to the cent. Amounts in cents, energy in steps of 10^-energyScale kWh. */
export interface BillingRun {
  readonly consumption: Consumption;
  readonly supply: SupplyBill;
  readonly pools: readonly Pool[];
  readonly lossEnergy: bigint;
  readonly statements: readonly Statement[];
}

/** A shared cost and its split over the participants, in their fixed order. */
export interface Pool {
  readonly pool: string;
  readonly cents: bigint;
  /** How an energy pool was priced; empty for demand and power factor. */
  readonly lines: readonly Line[];
  readonly shares: readonly bigint[];
  /** What the split went by, in steps of 10^-weightScale of the basis' unit; bare ratios where that is null. */
  readonly weights: readonly bigint[];
  readonly weightScale: number | null;
}

export interface Statement {
  readonly participant: string;
  readonly directEnergy: bigint;
  /** Part of `directEnergy` that rests on estimates. */
  readonly estimatedEnergy: bigint;
  readonly lines: readonly Line[];
  readonly direct: bigint;
  readonly pools: readonly { readonly pool: string; readonly cents: bigint }[];
  /** What rounding line by line left over; null on every statement but the landlord's. */
  readonly rounding: bigint | null;
  readonly total: bigint;
  readonly net: bigint;
  readonly vat: bigint;
}

/**
 * Bills the period. The laws: a direct line is HALF_UP(kWh x price); the shares of a pool add up to it; the statements
 * add up to the supply bill, the leftover of rounding line by line being one line of the landlord's.
 */
export function runBilling(scenario: Scenario, readings: ReadingsByMeter): Checked<BillingRun> {
  const consumed = createConsumption(scenario, readings);
  if (!consumed.ok) return consumed;
  const consumption = consumed.value;
  const { rates, faults } = createSchedule(scenario.tariff, consumption.grid, consumption.billed);
  if (faults.length > 0) return { ok: false, faults };

  const supply = billSupply(scenario.tariff, consumption, rates);
  const direct = ownDirectEnergy(scenario, consumption);
  const measures = createMeasures(scenario, direct, supply.peak - consumption.billed.first);
  const pools = scenario.allocation.map(({ pool, share }) => {
    const priced = pricePool(pool, supply, consumption, rates);
    const weights = computeWeights(share, measures, scenario);
    const weightScale = findWeightScale(share, weights, scenario, consumption.energyScale);
    return { pool, ...priced, weights, weightScale, shares: apportion(priced.cents, weights) };
  });
  const byOwner = Map.groupBy(direct, ({ owner }) => owner.participant);
  const drafts = scenario.participants.map((participant) =>
    draftDirect(participant, byOwner.get(participant) ?? [], rates, consumption),
  );
  const statements = closeStatements(scenario, supply, pools, drafts);
  const lossEnergy = sumLoss(consumption);
  return { ok: true, value: { consumption, supply, pools, lossEnergy, statements } };
}

function pricePool(
  pool: string,
  supply: SupplyBill,
  { points, billed, energyScale }: Consumption,
  rates: readonly Rate[],
): { cents: bigint; lines: readonly Line[] } {
  if (pool === 'demand') return { cents: supply.demand, lines: [] };
  if (pool === 'power_factor') return { cents: supply.powerFactor, lines: [] };
  const source = points.find(({ usagePoint: { id, role } }) =>
    pool === 'loss' ? role === 'supply' : id === pool,
  )!;
  const lines = priceLines(sumByRate(source.own, rates, billed), energyScale);
  return { cents: totalCents(lines), lines };
}

type Draft = Pick<Statement, 'participant' | 'directEnergy' | 'estimatedEnergy' | 'lines' | 'direct'>;

function draftDirect(
  participant: string,
  direct: readonly OwnedEnergy[],
  rates: readonly Rate[],
  { energyScale }: Consumption,
): Draft {
  const sums = new Map<Rate, bigint>();
  let [directEnergy, estimatedEnergy] = [0n, 0n];
  for (const { offset, energy, estimated } of direct) {
    const rate = rates[offset]!;
    sums.set(rate, (sums.get(rate) ?? 0n) + energy);
    directEnergy += energy;
    if (estimated) estimatedEnergy += energy;
  }
  const lines = priceLines(sums, energyScale);
  return { participant, directEnergy, estimatedEnergy, lines, direct: totalCents(lines) };
}

function closeStatements(
  { landlord, tariff }: Scenario,
  supply: SupplyBill,
  pools: readonly Pool[],
  drafts: readonly Draft[],
): Statement[] {
  const charged = totalCents(pools) + drafts.reduce((sum, { direct }) => sum + direct, 0n);
  const leftover = supply.total - charged;
  assertRoundingLaw(leftover, [
    supply.lines,
    ...pools.map(({ lines }) => lines),
    ...drafts.map(({ lines }) => lines),
  ]);
  return drafts.map((draft, index) => {
    const shares = pools.map(({ pool, shares }) => ({ pool, cents: shares[index]! }));
    const rounding = draft.participant === landlord ? leftover : null;
    const total = draft.direct + totalCents(shares) + (rounding ?? 0n);
    const one = pow10(tariff.vatRate.scale);
    const net = divideHalfUp(total * one, one + tariff.vatRate.units);
    return { ...draft, pools: shares, rounding, total, net, vat: total - net };
  });
}

/** More than half a cent per line cannot come from rounding: then a kWh was billed twice or not at all. */
function assertRoundingLaw(leftover: bigint, lines: readonly (readonly Line[])[]): void {
  const count = BigInt(lines.reduce((sum, list) => sum + list.length, 0));
  const magnitude = leftover < 0n ? -leftover : leftover;
  if (2n * magnitude > count)
    throw new Error(`rounding of ${leftover} cents over ${count} lines breaks the law of rounding`);
}

function sumLoss({ points, billed }: Consumption): bigint {
  const { own } = points.find(({ usagePoint }) => usagePoint.role === 'supply')!;
  return own.slice(billed.first, billed.last).reduce((sum, energy) => sum + energy, 0n);
}
