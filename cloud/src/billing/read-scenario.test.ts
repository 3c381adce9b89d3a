import { describe, expect, test } from 'vitest';
import { faultsAfter, set } from './testing.ts';

describe('a field that is missing or wrong is named by its path', () => {
  test.each([
    ['site', undefined, 'site: is missing'],
    ['site', 'Harbour', 'site: must be an object, not "Harbour"'],
    ['site.timezone', 'Mars/Olympus', 'site.timezone: is no time zone of the IANA list: Mars/Olympus'],
    ['site.timezone', undefined, 'site.timezone: is missing'],
    ['period', [], 'period: must be an object, not a list'],
    ['period.to', '2026-06-31', 'period.to: must be a date YYYY-MM-DD, not "2026-06-31"'],
    ['period.to', '2026-06-01', 'period.to: must be after 2026-06-01'],
    ['period.to', '2028-06-01', 'period.to: is more than 400 days after the start'],
    ['period.interval_minutes', 7, 'period.interval_minutes: must divide an hour, not 7'],
    [
      'period.interval_minutes',
      '15',
      'period.interval_minutes: must be a whole number from 1 to 60, not "15"',
    ],
    ['holidays', ['2026-13-01'], 'holidays[0]: must be a date YYYY-MM-DD, not 2026-13-01'],
    ['holidays', [7], 'holidays[0]: must be text, not 7'],
    ['holidays', undefined, 'holidays: is missing'],
    ['usage_points', 'all', 'usage_points: must be a list, not "all"'],
    ['usage_points.1', null, 'usage_points[1]: must be an object, not null'],
    [
      'usage_points.1.role',
      'tenant',
      'usage_points[1].role: must be one of supply, direct, common, not "tenant"',
    ],
    ['usage_points.1.parent', undefined, 'usage_points[1].parent: is missing'],
    ['usage_points.1.space', undefined, 'usage_points[1].space: is missing'],
    ['meters.0.digits', 0, 'meters[0].digits: must be a whole number from 1 to 18, not 0'],
    ['meters.0.decimals', 2.5, 'meters[0].decimals: must be a whole number from 0 to 9, not 2.5'],
    ['installations.1.multiplier', undefined, 'installations[1].multiplier: is missing'],
    [
      'installations.1.multiplier',
      'forty',
      'installations[1].multiplier: must be a positive number, not "forty"',
    ],
    ['installations.1.multiplier', -4, 'installations[1].multiplier: must be a positive number, not -4'],
    ['installations.1.multiplier', true, 'installations[1].multiplier: must be a positive number, not true'],
    [
      'installations.1.multiplier',
      { n: 4 },
      'installations[1].multiplier: must be a positive number, not an object',
    ],
    [
      'installations.1.from',
      '2026-06-31T00:00:00Z',
      'installations[1].from: must be a date or an instant that exists once in UTC, not 2026-06-31T00:00:00Z',
    ],
    ['installations.1.to', '2026-05-01', 'installations[1].to: must be after "from"'],
    [
      'installations.1.final_index',
      '12',
      'installations[1].final_index: needs the instant of removal in "to"',
    ],
    [
      'installations.1.direction',
      'both',
      'installations[1].direction: must be one of import, export, not "both"',
    ],
    ['spaces.0.rentable_area_m2', -1, 'spaces[0].rentable_area_m2: must be a not negative number, not -1'],
    ['leases.0.headcount', 1.5, 'leases[0].headcount: must be a whole number from 0 to 1000000000, not 1.5'],
    ['leases.0.to', '2025-01-01', 'leases[0].to: must be after "from"'],
    ['landlord', undefined, 'landlord: is missing'],
    ['landlord', '', 'landlord: must be text, not ""'],
    ['participant_order', {}, 'participant_order: must be a list, not an object'],
    ['tariff', undefined, 'tariff: is missing'],
    [
      'tariff.vat_rate',
      'x'.repeat(50),
      `tariff.vat_rate: must be a not negative number, not "${'x'.repeat(39)}...`,
    ],
    [
      'tariff.versions.0.prices',
      { flat: 'free' },
      'tariff.versions[0].prices.flat: must be a not negative number, not "free"',
    ],
    ['tariff.versions.0.prices', 1, 'tariff.versions[0].prices: must be an object, not 1'],
    [
      'tariff.bands.0.days',
      'sunday',
      'tariff.bands[0].days: must be one or several of workday, weekend, holiday, all, not "sunday"',
    ],
    [
      'tariff.bands.0.days',
      [],
      'tariff.bands[0].days: must be one or several of workday, weekend, holiday, all, not a list',
    ],
    [
      'tariff.bands.0.days',
      [['all']],
      'tariff.bands[0].days: must be one or several of workday, weekend, holiday, all, not a list',
    ],
    [
      'tariff.bands.0.months',
      [13],
      'tariff.bands[0].months: must be one or several of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, not a list',
    ],
    ['tariff.bands.0.to', '24:01', 'tariff.bands[0].to: must be a time of day HH:MM, not 24:01'],
    ['tariff.bands.0.to', undefined, 'tariff.bands[0].to: is missing'],
    ['tariff.bands.0.from', '7:00', 'tariff.bands[0].from: must be a time of day HH:MM, not 7:00'],
    ['tariff.demand', {}, 'tariff.demand.price: is missing'],
    ['tariff.capacity', { price: '24' }, 'tariff.capacity.kva: is missing'],
    ['tariff.power_factor_adjustment', 'low', 'tariff.power_factor_adjustment: must be a number, not "low"'],
    [
      'allocation.0.basis',
      'by_mood',
      'allocation[0].basis: must be one of area_days, head_days, metered, direct_kwh, coincident_kw, equal, fixed_percent, mixed, not "by_mood"',
    ],
    [
      'allocation.0.vacancy',
      'nobody',
      'allocation[0].vacancy: must be one of landlord, redistribute, not "nobody"',
    ],
    [
      'allocation.0.denominator',
      'all',
      'allocation[0].denominator: must be one of rentable, leased, occupied, not "all"',
    ],
  ])('%s as %j', (path, value, expected) => {
    expect(faultsAfter(set(path, value))).toContain(expected);
  });
});
