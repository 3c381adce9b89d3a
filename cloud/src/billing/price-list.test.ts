import { describe, expect, test } from 'vitest';
import { parseJson } from './json.ts';
import { checkPlan, createPriceList, type DatedPlan, readPlan } from './price-list.ts';
import { dayAndNight } from './testing-tariff.ts';

const ZONE = 'Europe/Berlin';
const plan = (from: string, body: string = dayAndNight): DatedPlan => {
  const read = readPlan(parseJson(body), ZONE);
  if (!read.ok) throw new Error(read.faults[0]!.message);
  return { from, ...read.value };
};
const bent = (change: (body: { holidays: unknown; tariff: Record<string, unknown> }) => void): string => {
  const body = JSON.parse(dayAndNight) as Parameters<typeof change>[0];
  change(body);
  return JSON.stringify(body);
};
const span = [Date.parse('2026-03-28T23:00:00Z'), Date.parse('2026-12-01T23:00:00Z')] as const;
const labelAt = (plans: readonly DatedPlan[], at: string, [from, to] = span) => {
  const rate = createPriceList(plans, from, to)(Date.parse(at));
  return rate && `${rate.version} ${rate.band}`;
};

describe('the price of a quarter hour', () => {
  test.each([
    ['2026-11-10T06:59:00Z', 'v1 night'],
    ['2026-11-10T07:00:00Z', 'v1 day'],
    ['2026-11-10T19:00:00Z', 'v1 night'],
    ['2026-11-11T11:00:00Z', 'v1 feast'],
    ['2026-11-14T22:45:00Z', 'v1 night'],
    ['2026-11-14T23:00:00Z', 'v2 night'],
    ['2026-07-01T06:00:00Z', 'v1 day'], // 08:00 by summer time.
  ])('at %s is that of %s', (at, label) => {
    expect(labelAt([plan('2026-01-01')], at)).toBe(label);
  });

  test('follows the clock over a night of 23 and one of 25 hours', () => {
    for (const day of ['2026-03-29', '2026-10-25']) {
      const eight = day === '2026-03-29' ? `${day}T06:00:00Z` : `${day}T07:00:00Z`;
      expect(labelAt([plan('2026-01-01')], eight)).toBe('v1 day');
      const before = new Date(Date.parse(eight) - 900_000).toISOString();
      expect(labelAt([plan('2026-01-01')], before)).toBe('v1 night');
    }
  });

  test('is that of the plan of its day, and of none before the first', () => {
    const later = bent(({ tariff }) => {
      tariff['versions'] = [{ id: 'w1', from: '2026-01-01', prices: { day: '3', night: '2', feast: '1' } }];
    });
    const plans = [plan('2026-05-01'), plan('2026-06-01', later)];
    expect(labelAt(plans, '2026-04-30T21:45:00Z')).toBeUndefined();
    expect(labelAt(plans, '2026-04-30T22:00:00Z')).toBe('v1 night');
    expect(labelAt(plans, '2026-05-31T21:45:00Z')).toBe('v1 night');
    expect(labelAt(plans, '2026-05-31T22:00:00Z')).toBe('w1 night');
  });
});

describe('a plan is refused', () => {
  const faultOf = (change: Parameters<typeof bent>[0]) => {
    const read = readPlan(parseJson(bent(change)), ZONE);
    return (read.ok ? checkPlan(read.value, '2026-01-01') : read.faults).map(
      ({ field, message }) => `${field}: ${message}`,
    );
  };

  test.each([
    ['without bands all day', 'tariff.bands: no band for a workday'],
    ['without a price for a band', 'tariff.versions: v1 has no price for band night'],
    ['without prices on its first day', 'tariff.versions: has no prices on 2026-01-01'],
    ['with a holiday that is no date', 'holidays[0]: must be a date'],
  ])('%s', (why, message) => {
    const changes: Record<string, Parameters<typeof bent>[0]> = {
      'without bands all day': ({ tariff }) => (tariff['bands'] as unknown[]).pop(),
      'without a price for a band': ({ tariff }) =>
        delete (tariff['versions'] as { prices: { night?: string } }[])[0]!.prices.night,
      'without prices on its first day': ({ tariff }) => (tariff['versions'] as unknown[]).shift(),
      'with a holiday that is no date': (body) => (body.holidays = ['soon']),
    };
    expect(faultOf(changes[why]!)[0]).toContain(message);
  });

  test('that is no object', () => {
    expect(readPlan(parseJson('[]'), ZONE)).toMatchObject({ ok: false });
  });
});
