import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ScenarioFile, billFile, createReadings, bend } from './testing.ts';

const cents = (amount: string | undefined): bigint => BigInt((amount ?? '0.00').replace('.', ''));

describe('for every scenario', () => {
  const flow = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 24, maxLength: 24 });
  const price = fc
    .integer({ min: 1, max: 99_999 })
    .map((units) => `${Math.floor(units / 10_000)}.${String(units % 10_000).padStart(4, '0')}`);
  const basis = fc.constantFrom('area_days', 'head_days', 'direct_kwh', 'coincident_kw', 'equal');
  const bill = fc.record({
    flows: fc.tuple(flow, flow, flow, flow),
    prices: fc.tuple(price, price),
    limit: fc.integer({ min: 1, max: 23 }),
    bases: fc.array(basis, { minLength: 4, maxLength: 4 }),
    rate: fc.constantFrom('-0.0075', '0.031', '0'),
    moveIn: fc.constantFrom('2026-01-01', '2026-06-01T11:00:00Z', '2027-01-01'),
    vacancy: fc.constantFrom('landlord', 'redistribute'),
    gone: fc.array(fc.integer({ min: 1, max: 23 }), { maxLength: 4 }),
  });
  type Case = typeof bill extends fc.Arbitrary<infer T> ? T : never;

  function build({
    flows,
    prices,
    limit,
    bases,
    rate,
    moveIn,
    vacancy,
    gone,
  }: Case): [ScenarioFile, string[]] {
    const clock = `${String(limit).padStart(2, '0')}:00`;
    const file = bend((scenario) => {
      scenario.leases[0]!['from'] = moveIn;
      Object.assign(scenario.tariff, {
        versions: [{ id: 'v1', from: '2026-06-01', prices: { day: prices[0], night: prices[1] } }],
        bands: [
          { band: 'day', days: 'all', from: clock, to: '23:30' },
          { band: 'night', days: 'all', from: '00:00', to: '24:00' },
        ],
        demand: { price: '38.40' },
        power_factor_adjustment: rate,
      });
      scenario.allocation = ['light', 'loss', 'demand', 'power_factor'].map((pool, index) => ({
        pool,
        basis: bases[index],
        vacancy,
      }));
    });
    const byMeter = Object.fromEntries(
      flows.map((counts, index) => [String(index), (hour: number) => counts[hour] ?? 0]),
    );
    const lost = gone.map((hour) => `,2026-06-01T${String(hour).padStart(2, '0')}:`);
    return [file, createReadings(byMeter).filter((row) => !lost.some((part) => row.includes(part)))];
  }

  test('statements add up to the supply bill, pools to their cost, and rounding stays within half a cent a line', () => {
    fc.assert(
      fc.property(bill, (over) => {
        const { supply, statements } = billFile(...build(over));
        const sumOf = (key: string): bigint =>
          Object.values(statements).reduce((sum, lines) => sum + cents(lines[key]), 0n);
        expect(sumOf('total')).toBe(cents(supply['total']));
        expect(sumOf('demand')).toBe(cents(supply['demand']));
        expect(sumOf('power_factor')).toBe(cents(supply['power_factor']));
        expect(sumOf('net') + sumOf('vat13')).toBe(sumOf('total'));
        expect(sumOf('direct') + sumOf('light') + sumOf('loss') + sumOf('rounding')).toBe(
          cents(supply['energy']),
        );
        expect(sumOf('rounding') >= -6n && sumOf('rounding') <= 6n).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('the order of rows and of lists does not matter', () => {
    fc.assert(
      fc.property(bill, fc.infiniteStream(fc.nat()), (over, random) => {
        const [file, rows] = build(over);
        const shuffle = <T>(list: readonly T[]): T[] =>
          list
            .map((item) => ({ item, key: random.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item);
        const turned = {
          ...file,
          usage_points: shuffle(file.usage_points),
          meters: shuffle(file.meters),
          installations: shuffle(file.installations),
          spaces: shuffle(file.spaces),
          leases: shuffle(file.leases),
        };
        const [one, other] = [billFile(file, rows), billFile(turned, shuffle(rows))];
        expect(other.supply).toEqual(one.supply);
        expect(other.statements).toEqual(one.statements);
      }),
      { numRuns: 25 },
    );
  });
});
