import { describe, expect, test } from 'vitest';
import { type Bend, type ScenarioFile, faultsAfter, set } from './testing.ts';

describe('fields that do not fit together', () => {
  const also =
    (list: keyof ScenarioFile, item: unknown): Bend =>
    (file) =>
      void (file[list] as unknown[]).push(item);

  test.each<[string, Bend, string]>([
    ['a name twice', also('spaces', { id: '101', rentable_area_m2: 1 }), 'spaces[2].id: 101 is there twice'],
    ['a participant twice', also('participant_order', 'A'), 'participant_order[3]: A is there twice'],
    [
      'an unknown parent',
      set('usage_points.1.parent', 'roof'),
      'usage_points[1].parent: no usage point roof',
    ],
    ['a loop of parents', set('usage_points.1.parent', 'a'), 'usage_points[1].parent: leads back to itself'],
    ['an unknown space', set('usage_points.1.space', '999'), 'usage_points[1].space: no space 999'],
    [
      'two supplies',
      set('usage_points.3', { id: 'light', role: 'supply' }),
      'usage_points: must have one of role supply, not 2',
    ],
    [
      'a common point with a taken name',
      set('usage_points.3.id', 'total'),
      'usage_points: total cannot be the name of a common usage point',
    ],
    [
      'an unknown usage point',
      set('installations.1.usage_point', 'roof'),
      'installations[1].usage_point: no usage point roof',
    ],
    ['an unknown meter', set('installations.1.meter', '77'), 'installations[1].meter: no meter 77'],
    [
      'an index beyond the display',
      set('installations.1.start_index', '1000000'),
      'installations[1].start_index: does not fit the display of meter 1: 6 digits before and 0 after the point',
    ],
    [
      'an index finer than the display',
      set('installations.1.start_index', 0.5),
      'installations[1].start_index: does not fit the display of meter 1: 6 digits before and 0 after the point',
    ],
    [
      'two meters at one place',
      set('installations.3.usage_point', 'b'),
      'installations[3].from: usage point b has two meters: overlaps installations[2]',
    ],
    [
      'one meter at two places',
      set('installations.3.meter', '2'),
      'installations[3].from: meter 2 is installed twice: overlaps installations[2]',
    ],
    [
      'no meter at the end',
      set('installations.1.to', '2026-06-01T12:00:00Z'),
      'usage_points[1]: a has no meter from 2026-06-01T12:00:00+00:00',
    ],
    [
      'no meter at the start',
      set('installations.1.from', '2026-06-01T00:30:00Z'),
      'usage_points[1]: a has no meter from 2026-06-01T00:00:00+00:00',
    ],
    ['a landlord who is no participant', set('landlord', 'X'), 'landlord: X is not in participant_order'],
    [
      'a tenant who is no participant',
      set('leases.1.tenant', 'X'),
      'leases[1].tenant: X is not in participant_order',
    ],
    ['a lease of nothing', set('leases.1.space', 'X'), 'leases[1].space: no space X'],
    [
      'two leases of one space',
      set('leases.1.space', '101'),
      'leases[1].from: overlaps leases[0] of space 101',
    ],
    ['no tariff version', set('tariff.versions', []), 'tariff.versions: must have at least one'],
    [
      'no price at the start',
      set('tariff.versions.0.from', '2026-06-01T01:00:00Z'),
      'tariff.versions: no price before 2026-06-01T01:00:00+00:00 (v1)',
    ],
    [
      'two versions at once',
      (file) =>
        (file.tariff['versions'] = ['v1', 'v2'].map((id) => ({
          id,
          from: '2026-06-01',
          prices: { flat: 1 },
        }))),
      'tariff.versions: v2 starts at the same instant as another',
    ],
    [
      'a band without a price',
      set('tariff.bands.0.band', 'peak'),
      'tariff.versions: v1 has no price for band peak',
    ],
    [
      'a time without a band',
      set('tariff.bands.0.to', '23:00'),
      'tariff.bands: no band for a workday, first at 2026-06-01T23:00:00+00:00',
    ],
    [
      'demand and capacity',
      (file) => Object.assign(file.tariff, { demand: { price: 1 }, capacity: { price: 1, kva: 1 } }),
      'tariff.capacity: cannot be charged beside demand',
    ],
    [
      'a holiday that is worked',
      (file) => Object.assign(file, { holidays: ['2026-06-01'], adjusted_workdays: ['2026-06-01'] }),
      'adjusted_workdays: 2026-06-01 is in holidays too',
    ],
    [
      'a common point without a rule',
      set('allocation.0.pool', 'loss2'),
      'allocation: no rule for pool light',
    ],
    [
      'an unknown pool',
      set('allocation.0.pool', 'loss2'),
      'allocation[0].pool: no common usage point and no computed pool loss2',
    ],
    [
      'a pool of no charge',
      also('allocation', { pool: 'demand', basis: 'equal' }),
      'tariff.demand: is missing, but allocation has the pool demand',
    ],
    [
      'a pool of no adjustment',
      also('allocation', { pool: 'power_factor', basis: 'equal' }),
      'tariff.power_factor_adjustment: is missing, but allocation has the pool power_factor',
    ],
    [
      'a charge that nobody shares',
      set('tariff.demand', { price: 1 }),
      'allocation: no rule for pool demand',
    ],
    [
      'an adjustment that nobody shares',
      set('tariff.power_factor_adjustment', '-0.01'),
      'allocation: no rule for pool power_factor',
    ],
    [
      'metered weights missing',
      set('allocation.0', { pool: 'light', basis: 'metered' }),
      'allocation[0].weights: is missing',
    ],
    [
      'weights of nobody',
      set('allocation.0', { pool: 'light', basis: 'metered', weights: { X: 1 } }),
      'allocation[0].weights.X: X is not in participant_order',
    ],
    [
      'weights of nothing',
      set('allocation.0', { pool: 'light', basis: 'metered', weights: { A: 0 } }),
      'allocation[0].weights: must not all be zero',
    ],
    [
      'percentages of 99',
      set('allocation.0', { pool: 'light', basis: 'fixed_percent', weights: { A: 99 } }),
      'allocation[0].weights: must be parts that add up to 100 (or to 1)',
    ],
    [
      'a mix of 50',
      set('allocation.0', { pool: 'light', basis: 'mixed', parts: [{ percent: 50, basis: 'equal' }] }),
      'allocation[0].parts: must be parts that add up to 100 (or to 1)',
    ],
    [
      'a mix of an unknown',
      set('allocation.0', {
        pool: 'light',
        basis: 'mixed',
        parts: [{ percent: 100, basis: 'metered', weights: { X: 1 } }],
      }),
      'allocation[0].parts[0].weights.X: X is not in participant_order',
    ],
    [
      'a denominator against the vacancy rule',
      set('allocation.0', { pool: 'light', basis: 'area_days', vacancy: 'landlord', denominator: 'leased' }),
      'allocation[0].denominator: contradicts vacancy landlord',
    ],
  ])('%s', (_why, change, expected) => {
    expect(faultsAfter(change)).toContain(expected);
  });
});
