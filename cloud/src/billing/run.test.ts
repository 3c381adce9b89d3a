import { describe, expect, test } from 'vitest';
import {
  type ScenarioFile,
  billFile,
  createReadings,
  createScenarioFile,
  PLAIN_FLOW,
  bend,
} from './testing.ts';

describe('a plain day', () => {
  test('direct, pools and loss add up to the supply', () => {
    const { supply, statements } = billFile(createScenarioFile());
    expect(supply).toEqual({ energy: '480.00', demand: '0.00', power_factor: '0.00', total: '480.00' });
    expect(statements).toEqual({
      A: {
        direct_kwh: '120.00',
        direct: '120.00',
        light: '24.00',
        loss: '8.00',
        total: '152.00',
        net: '134.51',
        vat13: '17.49',
      },
      B: {
        direct_kwh: '240.00',
        direct: '240.00',
        light: '72.00',
        loss: '16.00',
        total: '328.00',
        net: '290.27',
        vat13: '37.73',
      },
      L: {
        direct_kwh: '0.00',
        direct: '0.00',
        light: '0.00',
        loss: '0.00',
        rounding: '0.00',
        total: '0.00',
        net: '0.00',
        vat13: '0.00',
      },
    });
  });
});

describe('demand, capacity and power factor', () => {
  const peak = {
    ...PLAIN_FLOW,
    '0': (hour: number) => (hour === 7 || hour === 9 ? 30 : 20),
    '1': (hour: number) => (hour === 9 ? 9 : 5),
  };
  const withDemand = (file: ScenarioFile): void => {
    file.tariff['demand'] = { price: '38.40' };
    file.allocation.push({ pool: 'demand', basis: 'coincident_kw' });
  };

  test('the first of equal peaks counts, and the direct points share by their part in it', () => {
    const { supply, statements } = billFile(bend(withDemand), createReadings(peak));
    expect(supply['demand']).toBe('1152.00');
    expect([statements['A']!['demand'], statements['B']!['demand']]).toEqual(['384.00', '768.00']);
  });

  test('half-hour intervals mean twice the energy in kW', () => {
    const file = bend(withDemand);
    file.period['interval_minutes'] = 30;
    const rows = Object.entries(PLAIN_FLOW).flatMap(([meter, counts]) =>
      Array.from(
        { length: 49 },
        (_, k) => `${meter},${new Date(Date.UTC(2026, 5, 1, 0, k * 30)).toISOString()},${k * counts}`,
      ),
    );
    expect(billFile(file, rows).supply['demand']).toBe('1536.00');
  });

  test('an agreed capacity is charged by its kVA, whatever was drawn', () => {
    const file = bend((scenario) => {
      scenario.tariff['capacity'] = { price: '24.05', kva: '31.5' };
      scenario.allocation.push({ pool: 'demand', basis: 'equal' });
    });
    const { supply, statements } = billFile(file);
    expect(supply['demand']).toBe('757.58');
    expect(['A', 'B', 'L'].map((name) => statements[name]!['demand'])).toEqual([
      '252.53',
      '252.53',
      '252.52',
    ]);
  });

  test.each([
    ['a credit', '-0.0075', '-3.60', ['-1.20', '-2.40']],
    ['a penalty', '0.10', '48.00', ['16.00', '32.00']],
  ])('power factor as %s is a part of energy and demand', (_why, rate, total, shares) => {
    const file = bend((scenario) => {
      scenario.tariff['power_factor_adjustment'] = rate;
      scenario.allocation.push({ pool: 'power_factor', basis: 'direct_kwh' });
    });
    const { supply, statements } = billFile(file);
    expect(supply['power_factor']).toBe(total);
    expect([statements['A']!['power_factor'], statements['B']!['power_factor']]).toEqual(shares);
  });
});

describe('prices over time', () => {
  test('a version may begin within the day, and an interval has the price at its start', () => {
    const file = bend((scenario) => {
      scenario.tariff['versions'] = [
        { id: 'v2', from: '2026-06-01T10:30:00Z', prices: { flat: '2.00' } },
        { id: 'v1', from: '2026-01-01', prices: { flat: '1.00' } },
      ];
    });
    // 00:00 to 11:00 at 1.00, from 11:00 at 2.00.
    expect(billFile(file).supply['energy']).toBe(`${20 * 11 + 40 * 13}.00`);
  });

  test('bands know holidays, seasons and adjusted workdays; the first match wins', () => {
    const file = bend((scenario) => {
      Object.assign(scenario.period, { from: '2026-06-05', to: '2026-06-08' });
      Object.assign(scenario, { holidays: ['2026-06-05'], adjusted_workdays: ['2026-06-07'] });
      scenario.installations.forEach((item) => (item['from'] = '2026-06-05T00:00:00Z'));
      scenario.tariff['versions'] = [
        { id: 'v1', from: '2026-06-01', prices: { deep: '1', week: '10', end: '100', july: '1000' } },
      ];
      scenario.tariff['bands'] = [
        { band: 'july', days: 'all', months: [7], from: '00:00', to: '00:00' },
        { band: 'deep', days: 'holiday', from: '00:00', to: '24:00' },
        { band: 'end', days: ['weekend', 'holiday'], from: '22:00', to: '22:00' },
        { band: 'week', days: 'workday', from: '00:00', to: '24:00' },
      ];
    });
    const rows = Object.entries(PLAIN_FLOW).flatMap(([meter, counts]) =>
      Array.from(
        { length: 73 },
        (_, k) => `${meter},${new Date(Date.UTC(2026, 5, 5, k)).toISOString()},${k * counts}`,
      ),
    );
    // Friday off, Saturday free, Sunday worked: 480 kWh each.
    expect(billFile(file, rows).supply['energy']).toBe(`${480 + 48_000 + 4_800}.00`);
  });
});

describe('who pays', () => {
  test('a tenant who moves in pays from that interval and day on, the landlord before', () => {
    const file = bend((scenario) => {
      Object.assign(scenario.period, { to: '2026-06-05' });
      scenario.leases[0]!['from'] = '2026-06-04';
    });
    const { statements } = billFile(file, createReadings(PLAIN_FLOW, 96));
    expect([statements['A']!['direct'], statements['L']!['direct']]).toEqual(['120.00', '360.00']);
    expect([statements['A']!['light'], statements['B']!['light'], statements['L']!['light']]).toEqual([
      '24.00',
      '288.00',
      '72.00',
    ]);
  });

  test('one tenant after another in the same space', () => {
    const file = bend((scenario) => {
      Object.assign(scenario.period, { to: '2026-06-03' });
      scenario.leases[0]!['to'] = '2026-06-02';
      scenario.leases.push({ tenant: 'B', space: '101', headcount: 2, from: '2026-06-02', to: null });
    });
    const { statements } = billFile(file, createReadings(PLAIN_FLOW, 48));
    expect([statements['A']!['direct_kwh'], statements['B']!['direct_kwh']]).toEqual(['120.00', '600.00']);
  });

  test('several usage points of one tenant are one line per price', () => {
    const file = bend((scenario) => {
      scenario.usage_points[2]!['space'] = '101';
      Object.assign(scenario.tariff, {
        versions: [{ id: 'v1', from: '2026-06-01', prices: { flat: '0.0101' } }],
      });
    });
    // 360 kWh in one line are 3.64; 1.21 + 2.42 in two would be 3.63.
    expect(billFile(file).statements['A']!['direct']).toBe('3.64');
  });
});

describe('meters below meters', () => {
  test('a tenant below the common meter is not paid for twice', () => {
    const file = bend((scenario) => {
      scenario.usage_points[1]!['parent'] = 'light';
    });
    const { supply, statements } = billFile(file, createReadings({ ...PLAIN_FLOW, '0': 15, '3': 9 - 5 + 5 }));
    // 15 in: 10 to B, 9 to the light of which 5 to A, 4 less than nothing lost.
    expect(supply['total']).toBe('360.00');
    expect(statements['A']!['light']).toBe('24.00');
    expect([statements['A']!['loss'], statements['B']!['loss']]).toEqual(['-32.00', '-64.00']);
  });

  test('an export register counts against the import of its usage point', () => {
    const file = bend((scenario) => {
      scenario.meters.push({ id: 'pv', digits: 6, decimals: 0 });
      scenario.installations.push({ ...scenario.installations[1], meter: 'pv', direction: 'export' });
    });
    const { statements } = billFile(file, createReadings({ ...PLAIN_FLOW, pv: 2 }));
    expect(statements['A']!['direct_kwh']).toBe('72.00');
    expect(statements['A']!['loss']).toBe('16.62');
  });

  test('who exports more than the import carries no share by energy', () => {
    const file = bend((scenario) => {
      scenario.meters.push({ id: 'pv', digits: 6, decimals: 0 });
      scenario.installations.push({ ...scenario.installations[1], meter: 'pv', direction: 'export' });
    });
    const rows = createReadings({ ...PLAIN_FLOW, pv: 7 }).filter((row) => !row.includes('T09'));
    const { statements, vee } = billFile(file, rows);
    expect([statements['A']!['direct_kwh'], statements['A']!['loss']]).toEqual(['-48.00', '0.00']);
    expect(vee!['a']!.map(({ kwh, quality }) => [kwh, quality])).toEqual(Array(2).fill(['-2.00', 'E']));
  });
});

describe('digits', () => {
  test('multipliers and prices with many digits stay exact', () => {
    const file = bend((scenario) => {
      scenario.installations[1]!['multiplier'] = 0.1;
      scenario.installations[2]!['multiplier'] = '0.123456';
      scenario.tariff['versions'] = [{ id: 'v1', from: '2026-06-01', prices: { flat: 0.66105 } }];
    });
    const { statements } = billFile(file);
    expect([statements['A']!['direct_kwh'], statements['A']!['direct']]).toEqual(['12.00', '7.93']);
    expect([statements['B']!['direct_kwh'], statements['B']!['direct']]).toEqual(['29.63', '19.59']);
  });

  test('another tax rate', () => {
    const file = bend((scenario) => (scenario.tariff['vat_rate'] = 0.06));
    expect(billFile(file).statements['A']).toMatchObject({ total: '152.00', net: '143.40', vat13: '8.60' });
  });
});
