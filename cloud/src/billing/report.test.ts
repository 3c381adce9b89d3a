import { describe, expect, test } from 'vitest';
import { describeRun } from './report.ts';
import { simulate } from './simulate.ts';
import { createReadings, createScenarioFile, inputOf, PLAIN_FLOW } from './testing.ts';

function simulation(rows: readonly string[], file = createScenarioFile()) {
  const result = simulate(inputOf(file, rows));
  if (!result.ok) throw new Error('the plain scenario has faults');
  return result.value;
}

describe('describeRun', () => {
  test('prints the supply, a column per participant with the sum, and the loss', () => {
    const text = describeRun(simulation(createReadings(PLAIN_FLOW)), 'en');
    expect(text).toContain('Test  2026-06-01 .. 2026-06-02 UTC  CNY\nSupply bill\n');
    expect(text).toContain('  Total       152.00  328.00  0.00  480.00\n');
    expect(text).toContain('  VAT 13 %     17.49   37.73  0.00   55.22\n');
    expect(text).toContain('Notes\n  loss 24.00 kWh (5.00 % of the supply)\n');
  });

  test('says how much of a bill is estimated when it is more than a twentieth', () => {
    const rows = createReadings(PLAIN_FLOW).filter((row) => !/^1,2026-06-01T0[45]/.test(row));
    const text = describeRun(simulation(rows), 'en');
    expect(text).toContain('a: 3 x E missing:evenly, 2026-06-01T03:00:00+00:00 .. 2026-06-01T05:00:00+00:00');
    expect(text).toContain('A: 15.00 kWh (12.50 %) of the direct use is estimated');
  });

  test('speaks Chinese, with columns that line up', () => {
    const text = describeRun(simulation(createReadings({ '0': 0, '1': 0, '2': 0, '3': 0 })), 'zh');
    expect(text).toContain('分户账单');
    expect(text).toContain('线损 0.00 kWh（占总表 -）');
    expect(text).toContain('  直接电费        0.00  0.00  0.00  0.00\n');
  });

  test.each([
    ['en', 'the loss is outside -1 % .. +6 %', 'a: 25 h are estimated in one piece, which needs approval'],
    ['zh', '线损超出 -1 % 至 +6 %', 'a：连续 25 小时为估算值，需审批'],
  ] as const)('asks in %s for a look at an odd loss and a long estimate', (language, loss, approval) => {
    const file = createScenarioFile();
    Object.assign(file.period, { to: '2026-06-03' });
    const rows = createReadings({ ...PLAIN_FLOW, '0': 25 }, 48).filter((row) => {
      const at = Date.parse(row.split(',')[1]!);
      return !row.startsWith('1,') || at <= Date.UTC(2026, 5, 1, 10) || at >= Date.UTC(2026, 5, 2, 11);
    });
    const text = describeRun(simulation(rows, file), language);
    expect(text).toContain(loss);
    expect(text).toContain(approval);
  });
});
