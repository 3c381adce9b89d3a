import { describe, expect, test } from 'vitest';
import { divideHalfUp, parseDecimal, pow10, toUnits } from '../metering/index.ts';
import { recordRun, type RunRecord } from './record.ts';
import { simulate } from './simulate.ts';
import {
  bend,
  createReadings,
  createScenarioFile,
  inputOf,
  PLAIN_FLOW,
  type ScenarioFile,
} from './testing.ts';

function record(file: ScenarioFile, rows = createReadings(PLAIN_FLOW)): RunRecord {
  const result = simulate(inputOf(file, rows));
  if (!result.ok)
    throw new Error(result.faults.map(({ field, message }) => `${field ?? ''} ${message}`).join('\n'));
  return recordRun(result.value);
}
const units = (text: string, scale = 9): bigint => toUnits(parseDecimal(text)!, scale)!;
const sum = (texts: readonly string[], scale?: number): bigint =>
  texts.reduce((acc, text) => acc + units(text, scale), 0n);
const linesOf = (run: RunRecord) =>
  run.statements.flatMap(({ party, lines }) => lines.map((line) => ({ party, ...line })));

/** The intervals that a line names, picked as the books pick them. */
const behind = (run: RunRecord, line: RunRecord['statements'][number]['lines'][number]) =>
  run.intervals.filter(
    (one) =>
      line.usagePoints.includes(one.usagePoint) &&
      (line.band === null || one.band === line.band) &&
      (line.tariffVersion === null || one.tariffVersion === line.tariffVersion) &&
      (line.intervalParty === null || one.party === line.intervalParty) &&
      (line.intervalAt === null || one.at === line.intervalAt),
  );

/** A register of its own for what A sends back: 2 kWh an hour. */
const exporting = bend((file) => {
  file.meters.push({ id: 'x', digits: 6, decimals: 0 });
  file.installations.push({
    ...{ meter: 'x', usage_point: 'a', multiplier: '2', direction: 'export' },
    ...{ max_counts_per_interval: 1000, from: '2026-06-01T00:00:00Z', to: null },
  });
});
const movedIn = bend((file) => {
  file.leases[0]!['from'] = '2026-06-01T11:00:00Z';
  Object.assign(file.tariff, { demand: { price: '38.40' }, power_factor_adjustment: '-0.0075' });
  file.allocation.push({ pool: 'demand', basis: 'coincident_kw' }, { pool: 'power_factor', basis: 'equal' });
});
const mixed = bend((file) => {
  file.spaces[0]!['rentable_area_m2'] = '100.5';
  Object.assign(file.tariff, { capacity: { price: '23.00', kva: '30' } });
  file.allocation[0] = {
    ...{ pool: 'light', basis: 'mixed' },
    parts: [
      { percent: 60, basis: 'area_days' },
      { percent: 40, basis: 'fixed_percent', weights: { A: '33.3', B: '66.7' } },
    ],
  };
  file.allocation.push({ pool: 'demand', basis: 'area_days' });
});
const nobodyHome = bend((file) => {
  for (const lease of file.leases) lease['headcount'] = 0;
  file.allocation[0] = { pool: 'light', basis: 'head_days' };
});

describe.each([
  ['a plain day', record(createScenarioFile())],
  ['a tenant who moves in at eleven, demand and power factor', record(movedIn)],
  ['a tenant who exports', record(exporting, createReadings({ ...PLAIN_FLOW, '0': 18, x: 1 }))],
  ['mixed shares, broken areas and a capacity charge', record(mixed)],
  ['a pool that nobody has a measure of', record(nobodyHome)],
  [
    'a silence',
    record(
      createScenarioFile(),
      createReadings(PLAIN_FLOW).filter((row) => !/^1,.*T0[5-7]/.test(row)),
    ),
  ],
])('%s', (_name, run) => {
  test('every statement is the sum of its lines, and all are the supply bill', () => {
    for (const { lines, total, net, tax } of run.statements) {
      expect(sum(lines.map(({ amount }) => amount))).toBe(units(total));
      expect(sum([net, tax])).toBe(units(total));
    }
    expect(sum(run.statements.map(({ total }) => total))).toBe(units(run.supply.total));
    expect(run.checks.filter(({ ok }) => !ok).map(({ key }) => key)).toEqual(
      _name === 'a silence' ? ['estimates_within_limit'] : [],
    );
  });

  test('every line finds as many intervals as it says; those of an energy line are its quantity', () => {
    for (const line of linesOf(run)) {
      const found = behind(run, line);
      expect(found).toHaveLength(line.intervals);
      if (line.kind === 'energy') expect(sum(found.map(({ energy }) => energy))).toBe(units(line.quantity!));
      if (line.poolLines.length > 0)
        expect(sum(found.map(({ energy }) => energy))).toBe(
          sum(line.poolLines.map(({ quantity }) => quantity)),
        );
    }
  });

  test('every amount follows from the figures beside it', () => {
    for (const line of linesOf(run)) {
      const cents = units(line.amount, 2);
      if (line.kind === 'energy') {
        expect(divideHalfUp(units(line.quantity!) * units(line.price!), pow10(16))).toBe(cents);
      } else if (line.kind === 'share') {
        const [own, all] = [units(line.weight!, 60), units(line.weightSum!, 60)];
        const off = units(line.poolTotal!, 2) * own - cents * all;
        // Largest remainder: less than one cent from the exact share, and a percentage is printed with six digits.
        expect(100n * (off < 0n ? -off : off) < 101n * all).toBe(true);
      }
    }
  });

  test('registers times multipliers are what went through, where both displays are known', () => {
    let compared = 0;
    for (const { registers, through } of run.intervals) {
      if (registers.length === 0 || registers.some(({ from, to }) => from === null || to === null)) continue;
      const shown = registers.reduce(
        (acc, { from, to, multiplier }) => acc + (units(to!) - units(from!)) * units(multiplier, 0),
        0n,
      );
      expect(shown).toBe(units(through));
      compared += 1;
    }
    expect(compared).toBeGreaterThan(24);
  });
});

test('the formulas read as a person would write them', () => {
  const formulas = linesOf(record(movedIn)).map(({ party, formula }) => `${party}: ${formula}`);
  expect(formulas).toContain('A: 65.00 kWh × 1.00 = 65.00');
  expect(formulas).toContain('L: 55.00 kWh × 1.00 = 55.00');
  expect(formulas).toContain('B: 96.00 × 300 / 400 = 72.00');
});

test('the share of a mix is told as a percentage', () => {
  const formulas = linesOf(record(mixed))
    .filter(({ pool }) => pool === 'light')
    .map(({ formula }) => formula);
  // A: 60 % x 100.5 / 400.5 + 40 % x 33.3 / 100.
  expect(formulas[0]).toBe('96.00 × 28.37618 / 100 = 27.24');
});

test('a capacity charge has no quarter hour behind it, a demand has one', () => {
  const demandOf = (run: RunRecord) => linesOf(run).find(({ pool }) => pool === 'demand')!;
  expect(demandOf(record(mixed)).intervals).toBe(0);
  expect(demandOf(record(movedIn))).toMatchObject({ intervals: 1, usagePoints: ['supply'] });
});
