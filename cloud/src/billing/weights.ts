import { pow10, toUnits } from '../metering/index.ts';
import type { Owner } from './ownership.ts';
import type { Scenario, ShareRule } from './scenario.ts';

/** Something a share may be measured by, and whose it is. */
export interface Contribution {
  readonly participant: string;
  readonly state: Owner['state'];
  readonly amount: bigint;
}

/** The measured bases of one period; only ratios within a base matter. */
export type Measures = Readonly<
  Record<'area_days' | 'head_days' | 'direct_kwh' | 'coincident_kw' | 'equal', readonly Contribution[]>
>;

/** Digits that a weight given in the scenario may have. */
const GIVEN_SCALE = 60;

/**
 * Weights of the participants in their fixed order, with a positive sum.
 * Who draws less than nothing (an exporter) weighs nothing. Where a base has no weight at all - no heads in the house,
 * no kWh - the landlord carries the pool, because a cost without a carrier would be lost.
 */
export function computeWeights(rule: ShareRule, measures: Measures, scenario: Scenario): bigint[] {
  const weights =
    rule.basis === 'mixed' ? mix(rule, measures, scenario) : weigh(rule, rule.basis, measures, scenario);
  if (weights.some((weight) => weight > 0n)) return weights;
  return scenario.participants.map((name) => (name === scenario.landlord ? 1n : 0n));
}

/** Digits after the point in the whole numbers of `computeWeights`; null where only their ratio says something, as in a mix. */
export function findWeightScale(
  { basis }: ShareRule,
  weights: readonly bigint[],
  { spaces }: Scenario,
  energyScale: number,
): number | null {
  if (basis === 'mixed') return null;
  // The landlord carries it alone.
  if (weights.reduce((sum, weight) => sum + weight, 0n) === 1n) return 0;
  if (basis === 'metered' || basis === 'fixed_percent') return GIVEN_SCALE;
  if (basis === 'area_days') return areaScale(spaces);
  return basis === 'direct_kwh' || basis === 'coincident_kw' ? energyScale : 0;
}

function weigh(
  rule: ShareRule,
  basis: Exclude<ShareRule['basis'], 'mixed'>,
  measures: Measures,
  { participants }: Scenario,
): bigint[] {
  if (basis === 'metered' || basis === 'fixed_percent')
    return participants.map((name) => givenWeight(rule, name));
  const sums = new Map<string, bigint>();
  for (const { participant, state, amount } of measures[basis])
    if (isCounted(state, rule)) sums.set(participant, (sums.get(participant) ?? 0n) + amount);
  return participants.map((name) => {
    const sum = sums.get(name) ?? 0n;
    return sum > 0n ? sum : 0n;
  });
}

function givenWeight({ weights }: ShareRule, participant: string): bigint {
  const weight = weights?.get(participant);
  return weight ? toUnits(weight, GIVEN_SCALE)! : 0n;
}

function isCounted(state: Owner['state'], { vacancy, occupiedOnly }: ShareRule): boolean {
  if (occupiedOnly) return state === 'occupied';
  return vacancy === 'landlord' || state !== 'vacant';
}

/** Sum of percent x weight / sum of weights, over one common denominator so that nothing is rounded before the split. */
function mix({ parts }: ShareRule, measures: Measures, scenario: Scenario): bigint[] {
  const shares = parts.map(({ percent, share }) => {
    const weights = computeWeights(share, measures, scenario);
    const sum = weights.reduce((acc, weight) => acc + weight, 0n);
    return { percent: toUnits(percent, 60)!, weights, sum };
  });
  const denominator = shares.reduce((product, { sum }) => product * sum, 1n);
  return scenario.participants.map((_, index) =>
    shares.reduce(
      (acc, { percent, weights, sum }) => acc + (percent * weights[index]! * denominator) / sum,
      0n,
    ),
  );
}

const areaScale = (spaces: Scenario['spaces']): number =>
  Math.max(...spaces.map(({ area }) => area.scale), 0);

/** Whole units for amounts with different numbers of digits. */
export function areaUnits(scenario: Scenario): ReadonlyMap<string, bigint> {
  const scale = areaScale(scenario.spaces);
  return new Map(scenario.spaces.map(({ id, area }) => [id, area.units * pow10(scale - area.scale)]));
}
