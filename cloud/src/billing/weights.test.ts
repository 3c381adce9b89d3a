import { describe, expect, test } from 'vitest';
import { parseDecimal } from '../metering/index.ts';
import { billFile, createScenarioFile } from './testing.ts';
import type { Scenario, ShareRule } from './scenario.ts';
import { computeWeights, type Measures } from './weights.ts';

const scenario = { participants: ['A', 'B', 'L'], landlord: 'L' } as unknown as Scenario;
const rule = (over: Partial<ShareRule>): ShareRule => ({
  basis: 'area_days',
  vacancy: 'landlord',
  occupiedOnly: false,
  weights: null,
  parts: [],
  ...over,
});
const measures: Measures = {
  area_days: [
    { participant: 'A', state: 'occupied', amount: 100n },
    { participant: 'B', state: 'leased', amount: 50n },
    { participant: 'L', state: 'vacant', amount: 40n },
    { participant: 'L', state: 'leased', amount: 7n },
    { participant: 'A', state: 'occupied', amount: 3n },
  ],
  head_days: [],
  direct_kwh: [
    { participant: 'A', state: 'occupied', amount: -20n },
    { participant: 'B', state: 'leased', amount: 5n },
  ],
  coincident_kw: [],
  equal: ['A', 'B'].map((participant) => ({ participant, state: 'leased', amount: 1n })),
};
const decimals = (
  values: Record<string, string>,
): Map<string, NonNullable<ReturnType<typeof parseDecimal>>> =>
  new Map(Object.entries(values).map(([name, text]) => [name, parseDecimal(text)!]));

/** Weights scaled so that the smallest positive one is plain to read. */
const ratio = (weights: readonly bigint[], unit: bigint): bigint[] =>
  weights.map((weight) => (weight * 1000n) / unit);

describe('computeWeights', () => {
  test.each<[string, Partial<ShareRule>, bigint[]]>([
    ["vacant space is the landlord's", {}, [103n, 50n, 47n]],
    ['or is left out of the denominator', { vacancy: 'redistribute' }, [103n, 50n, 7n]],
    ['or leased space without heads too', { vacancy: 'redistribute', occupiedOnly: true }, [103n, 0n, 0n]],
    ['who exports weighs nothing', { basis: 'direct_kwh' }, [0n, 5n, 0n]],
    ['a base that nobody has falls to the landlord', { basis: 'head_days' }, [0n, 0n, 1n]],
    ['equal is one each', { basis: 'equal' }, [1n, 1n, 0n]],
  ])('%s', (_why, over, expected) => {
    expect(computeWeights(rule(over), measures, scenario)).toEqual(expected);
  });

  test('given weights may have any number of digits', () => {
    const weights = decimals({ A: '1.5', B: '0.25' });
    const found = computeWeights(rule({ basis: 'metered', weights }), measures, scenario);
    expect(ratio(found, 10n ** 60n)).toEqual([1500n, 250n, 0n]);
  });

  test('a mix adds the shares, not the weights', () => {
    const parts = [
      { percent: parseDecimal('60')!, share: rule({ basis: 'equal' }) },
      { percent: parseDecimal('40')!, share: rule({ basis: 'direct_kwh' }) },
    ];
    const [a, b, l] = computeWeights(rule({ basis: 'mixed', parts }), measures, scenario);
    // A has half of 60, B the other half and all of 40.
    expect([a! * 7n, l]).toEqual([b! * 3n, 0n]);
  });
});

describe('bases on a bill of 96.00 for light', () => {
  const light = (change: Record<string, unknown>, vacant = false): (string | undefined)[] => {
    const file = createScenarioFile();
    file.allocation[0] = { pool: 'light', ...change };
    if (vacant) file.leases.shift();
    const { statements } = billFile(file);
    return ['A', 'B', 'L'].map((name) => statements[name]!['light']);
  };

  test.each<[string, Record<string, unknown>, boolean, string[]]>([
    ['area', { basis: 'area_days' }, false, ['24.00', '72.00', '0.00']],
    ['area, one unit vacant', { basis: 'area_days' }, true, ['0.00', '72.00', '24.00']],
    [
      'area, vacancy shared out',
      { basis: 'area_days', vacancy: 'redistribute' },
      true,
      ['0.00', '96.00', '0.00'],
    ],
    [
      'area, of what is leased',
      { basis: 'area_days', denominator: 'leased' },
      true,
      ['0.00', '96.00', '0.00'],
    ],
    [
      'area, of all that is rentable',
      { basis: 'area_days', denominator: 'rentable' },
      true,
      ['0.00', '72.00', '24.00'],
    ],
    [
      'area, of what is occupied',
      { basis: 'area_days', denominator: 'occupied' },
      false,
      ['24.00', '72.00', '0.00'],
    ],
    ['heads', { basis: 'head_days' }, false, ['72.00', '24.00', '0.00']],
    ['energy', { basis: 'direct_kwh' }, false, ['32.00', '64.00', '0.00']],
    ['energy, one unit vacant', { basis: 'direct_kwh' }, true, ['0.00', '64.00', '32.00']],
    ['coincident power', { basis: 'coincident_kw' }, false, ['32.00', '64.00', '0.00']],
    ['equal', { basis: 'equal' }, false, ['32.00', '32.00', '32.00']],
    ['equal among tenants', { basis: 'equal', vacancy: 'redistribute' }, false, ['48.00', '48.00', '0.00']],
    ['equal without a tenant who is gone', { basis: 'equal' }, true, ['0.00', '48.00', '48.00']],
    [
      'percent',
      { basis: 'fixed_percent', weights: { A: '12.5', B: 50, L: '37.5' } },
      false,
      ['12.00', '48.00', '36.00'],
    ],
    [
      'parts of one',
      { basis: 'fixed_percent', weights: { A: 0.125, B: 0.5, L: 0.375 } },
      false,
      ['12.00', '48.00', '36.00'],
    ],
    ['metered', { basis: 'metered', weights: { A: '1.0', B: '2.0' } }, false, ['32.00', '64.00', '0.00']],
    [
      'mixed',
      {
        basis: 'mixed',
        parts: [
          { percent: 50, basis: 'equal' },
          { percent: 50, basis: 'area_days' },
        ],
      },
      false,
      ['28.00', '52.00', '16.00'],
    ],
  ])('%s', (_name, change, vacant, expected) => {
    expect(light(change, vacant)).toEqual(expected);
  });
});
