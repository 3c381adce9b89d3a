import { describe, expect, test } from 'vitest';
import { parseDecimal } from '../metering/index.ts';
import { parseJson } from './json.ts';
import { simulate } from './simulate.ts';
import {
  billFile,
  createReadings,
  createScenarioFile,
  faultsOf,
  inputOf,
  PLAIN_FLOW,
  type ScenarioFile,
} from './testing.ts';

type Bend = (file: ScenarioFile) => void;

function faultsAfter(change: Bend): string[] {
  const file = createScenarioFile();
  change(file);
  return faultsOf(file);
}

/** Sets one field by path, or takes it away. */
function set(path: string, value: unknown): Bend {
  return (file) => {
    const keys = path.split('.');
    const last = keys.pop()!;
    const holder = keys.reduce<Record<string, unknown>>(
      (at, key) => at[key] as Record<string, unknown>,
      file as never,
    );
    if (value === undefined) Reflect.deleteProperty(holder, last);
    else holder[last] = value;
  };
}

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

describe('readings', () => {
  const rows = createReadings(PLAIN_FLOW);
  const withRow = (row: string): string[] => faultsOf(createScenarioFile(), [row, ...rows]);

  test.each([
    ['an unknown meter', '99,2026-06-01T01:00:00Z,5', 'row 2, meter: no meter 99 in the scenario'],
    ['no meter', ',2026-06-01T01:00:00Z,5', 'row 2, meter: no meter (empty) in the scenario'],
    ['no instant', '1,soon,5', 'row 2, ts: is no instant: soon'],
    ['a date instead of an instant', '1,2026-06-01,5', 'row 2, ts: is no instant: 2026-06-01'],
    ['an empty instant', '1,,5', 'row 2, ts: is no instant: (empty)'],
    ['no number', '1,2026-06-01T01:00:00Z,five', 'row 2, register: is no number: five'],
    ['an empty register', '1,2026-06-01T01:00:00Z,', 'row 2, register: is no number: (empty)'],
    [
      'more digits than the display',
      '1,2026-06-01T01:00:00Z,1000000',
      'row 2, register: 1000000 does not fit the display of meter 1: 6 digits before and 0 after the point',
    ],
    [
      'finer than the display',
      '1,2026-06-01T01:00:00Z,5.5',
      'row 2, register: 5.5 does not fit the display of meter 1: 6 digits before and 0 after the point',
    ],
    [
      'below zero',
      '1,2026-06-01T01:00:00Z,-5',
      'row 2, register: -5 does not fit the display of meter 1: 6 digits before and 0 after the point',
    ],
    [
      'another register at the same instant',
      '1,2026-06-01T01:00:00Z,6',
      'row 29, register: differs from line 2, same meter and instant',
    ],
    [
      'a time before the installation',
      '1,2026-05-31T23:00:00Z,0',
      'row 2, ts: meter 1 is not installed at 2026-05-31T23:00:00+00:00',
    ],
    [
      'a time far from the period',
      '1,2027-06-01T00:00:00Z,0',
      'row 2, ts: is too far from the period 2026-06-01 to 2026-06-02',
    ],
    ['too few columns', '1,2026-06-01T01:00:00Z', 'row 2, : has 2 columns, not 3'],
  ])('%s', (_why, row, expected) => {
    expect(withRow(row)).toEqual([expected]);
  });

  test('equal rows, empty rows, quotes, blanks, a byte order mark and any order of columns are no faults', () => {
    const turned = rows
      .map((row) => row.split(','))
      .map(([meter, ts, register]) => ` ${register} ,"${meter}",${ts},`);
    const readings = ['\uFEFFregister,meter,ts,remark', ...turned, '', turned[0], ''].join('\r\n');
    const result = simulate({ ...inputOf(createScenarioFile(), []), readings });
    expect(result.ok).toBe(true);
  });

  test('missing columns are told one by one', () => {
    const result = simulate({ ...inputOf(createScenarioFile(), []), readings: 'meter;ts;register' });
    expect(!result.ok && result.faults.map(({ row, field }) => [row, field])).toEqual([
      [1, 'meter'],
      [1, 'ts'],
      [1, 'register'],
    ]);
  });

  test('a day of registers before the period serves as like day', () => {
    const file = createScenarioFile();
    Object.assign(file.period, { from: '2026-06-02', to: '2026-06-03' });
    const counts = (hour: number): number => 10 + (hour % 3) * 5;
    const flow = { ...PLAIN_FLOW, '0': () => 40, '1': counts };
    const readings = createReadings(flow, 48).filter((row) => !/^1,2026-06-02T0[12]/.test(row));
    expect(billFile(file, readings).vee!['a']!.map(({ kwh }) => kwh)).toEqual(['10.00', '15.00', '20.00']);
  });
});

describe('all faults are told together', () => {
  test('of the scenario and of the readings', () => {
    const file = createScenarioFile();
    set('installations.1.multiplier', undefined)(file);
    set('landlord', 'X')(file);
    expect(faultsOf(file, ['9,2026-06-01T00:00:00Z,x'])).toEqual([
      'installations[1].multiplier: is missing',
      'landlord: X is not in participant_order',
      'row 2, meter: no meter 9 in the scenario',
      'row 2, register: is no number: x',
    ]);
  });

  test('of every meter', () => {
    const rows = createReadings(PLAIN_FLOW).filter((row) => !/^[12],/.test(row));
    expect(faultsOf(createScenarioFile(), rows)).toEqual([
      'installations[1].meter: meter 1 has no readings',
      'installations[2].meter: meter 2 has no readings',
    ]);
  });

  test('of both registers of a usage point', () => {
    const file = createScenarioFile();
    file.meters.push({ id: 'pv', digits: 6, decimals: 0 });
    file.installations.push({ ...file.installations[1], meter: 'pv', direction: 'export' });
    const rows = createReadings(PLAIN_FLOW).filter((row) => !row.startsWith('1,'));
    expect(faultsOf(file, rows)).toEqual([
      'installations[1].meter: meter 1 has no readings',
      'installations[4].meter: meter pv has no readings',
    ]);
  });

  test('readings are checked as far as they go when the scenario cannot be read', () => {
    const readings = 'meter,ts,register\n1,soon,5';
    const faults = (scenario: string | undefined): unknown => {
      const json = scenario === undefined ? undefined : parseJson(scenario);
      const result = simulate({ scenario: json, readings, multipliers: new Map() });
      return !result.ok && result.faults.map(({ source, message }) => `${source} ${message}`);
    };
    expect(faults(undefined)).toEqual(['readings is no instant: soon']);
    expect(faults('[]')).toEqual(['scenario must be a JSON object', 'readings is no instant: soon']);
  });

  test('nothing at all is not a bill', () => {
    const result = simulate({ scenario: undefined, readings: undefined, multipliers: new Map() });
    expect(result.ok).toBe(false);
  });

  test('a multiplier for a meter that hangs nowhere', () => {
    const input = {
      ...inputOf(createScenarioFile(), createReadings(PLAIN_FLOW)),
      multipliers: new Map([['9', parseDecimal('2')!]]),
    };
    const result = simulate(input);
    expect(!result.ok && result.faults[0]?.message).toBe('--multiplier: no installation of meter 9');
  });
});
