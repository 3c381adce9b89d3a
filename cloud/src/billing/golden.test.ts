import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { formatUnits, parseDecimal } from '../metering/index.ts';
import { noteCorrections } from './correction.ts';
import { parseJson } from './json.ts';
import { formatCents, formatEnergy, presentRun, presentVee } from './present.ts';
import type { Line } from './price.ts';
import { type Simulation, simulate } from './simulate.ts';

interface Expected {
  readonly supply: Record<string, unknown> & { readonly lines: Record<string, string[]> };
  readonly direct_lines: Record<string, string[]>;
  readonly pools: Record<string, string>;
  readonly loss_kwh: string;
  readonly meter_kwh: Record<string, string>;
  readonly statements: Record<string, Record<string, string>>;
}

const folder = new URL('../../../tests/fixtures/billing-2026-10/', import.meta.url);
const scenarioText = readFileSync(new URL('scenario.json', folder), 'utf8');
const csv = gunzipSync(readFileSync(new URL('readings.csv.gz', folder))).toString('utf8');
const golden = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as {
  run1_meter4_new_multiplier_15: Expected;
  run2_meter4_new_multiplier_20: Expected;
  rebill: { deltas: Record<string, string>; documents: Record<string, string> };
  vee: Record<string, Record<string, [string, string]>>;
  wrong: Record<string, Record<string, string> | string>;
};

function bill(multiplier?: string, readings = csv): Simulation {
  const multipliers = new Map(multiplier ? [['4-new', parseDecimal(multiplier)!]] : []);
  const result = simulate({ scenario: parseJson(scenarioText), readings, multipliers });
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.value;
}

const runs = { run1: bill('15'), run2: bill() };

/** 'v1/flat' -> [kWh, price, amount], as the expected lines are written. */
function describeLines(lines: readonly Line[], prefix = ''): Record<string, string[]> {
  return Object.fromEntries(
    lines.map(({ rate, energy, cents }) => [
      `${prefix}${rate.version}/${rate.band}`,
      [
        formatEnergy(energy, runs.run1.run.consumption.energyScale),
        formatUnits(rate.price.units, rate.price.scale, 4),
        formatCents(cents),
      ],
    ]),
  );
}

describe.each([
  ['run 1, one meter at a wrong multiplier', runs.run1, golden.run1_meter4_new_multiplier_15],
  ['run 2', runs.run2, golden.run2_meter4_new_multiplier_20],
])('%s', (_name, { run }, expected) => {
  test('bills the supply to the cent, line by line', () => {
    const { energy, demand, power_factor, total } = expected.supply;
    expect(presentRun(run, false).supply).toEqual({ energy, demand, power_factor, total });
    expect(describeLines(run.supply.lines)).toEqual(expected.supply.lines);
  });

  test('finds the demand and its quarter hour', () => {
    expect(Number(formatEnergy(run.supply.peakPower, run.consumption.energyScale))).toBe(
      Number(expected.supply['peak_kw']),
    );
    const { grid } = run.consumption;
    expect(new Date(grid.start + run.supply.peak * grid.intervalMs).toISOString()).toBe(
      '2026-10-12T01:45:00.000Z',
    );
  });

  test('prices every direct line to the cent', () => {
    const lines = run.statements.map(({ participant, lines }) => describeLines(lines, `${participant}/`));
    expect(Object.assign({}, ...lines)).toEqual(expected.direct_lines);
  });

  test('prices the pools and the loss', () => {
    const energyPools = run.pools.filter(({ lines }) => lines.length > 0);
    expect(Object.fromEntries(energyPools.map(({ pool, cents }) => [pool, formatCents(cents)]))).toEqual(
      expected.pools,
    );
    expect(formatEnergy(run.lossEnergy, run.consumption.energyScale)).toBe(expected.loss_kwh);
  });

  test('prints every statement to the cent', () => {
    const plain = Object.entries(expected.statements).map(([name, statement]) => [
      name,
      Object.fromEntries(
        Object.entries(statement).map(([key, amount]) => [key.replace(/_by_.*/, ''), amount]),
      ),
    ]);
    expect(presentRun(run, false).statements).toEqual(Object.fromEntries(plain));
  });

  test('meters what each meter measured', () => {
    const points: Record<string, string> = {
      '0': 'supply',
      '1': 'unit-101',
      '2': 'unit-201',
      '3': 'unit-301',
      '4': 'unit-302',
      '5': 'unit-401',
      '6': 'common_lighting',
      '7': 'elevators',
      '8': 'chiller',
    };
    for (const [meter, kwh] of Object.entries(expected.meter_kwh)) {
      const { through } = run.consumption.points.find(({ usagePoint }) => usagePoint.id === points[meter])!;
      const { billed, energyScale } = run.consumption;
      const sum = through.slice(billed.first, billed.last).reduce((acc, energy) => acc + energy, 0n);
      expect(formatEnergy(sum, energyScale)).toBe(kwh);
    }
  });

  test('avoids the numbers of the known mistakes', () => {
    const totals = presentRun(run, false).statements['A']!;
    const wrong = Object.values(golden.wrong).map((numbers) =>
      typeof numbers === 'string' ? numbers : numbers['A'],
    );
    expect(wrong).not.toContain(totals['total']);
  });
});

test('the correction of run 1 by run 2 is one note each, and they cancel out', () => {
  const notes = noteCorrections(runs.run1.run.statements, runs.run2.run.statements);
  expect(
    Object.fromEntries(notes.map(({ participant, cents }) => [participant, formatCents(cents)])),
  ).toEqual(golden.rebill.deltas);
  expect(Object.fromEntries(notes.map(({ participant, document }) => [participant, document]))).toEqual(
    golden.rebill.documents,
  );
  expect(notes.reduce((sum, { cents }) => sum + cents, 0n)).toBe(0n);
});

test('exactly the intervals that are not plainly measured are listed', () => {
  const vee = presentVee(runs.run2.run);
  expect(Object.keys(vee)).toEqual(['unit-101', 'unit-201', 'unit-301', 'unit-302']);
  for (const [point, name] of [
    ['unit-101', 'meter1_gap'],
    ['unit-301', 'meter3_reestimated'],
  ] as const) {
    const expected = Object.entries(golden.vee[name]!).map(([start, [kwh, quality]]) => [
      start,
      Number(kwh),
      quality,
    ]);
    expect(vee[point]!.map(({ start, kwh, quality }) => [start, Number(kwh), quality])).toEqual(expected);
  }
  expect(vee['unit-201']).toEqual([
    { start: '2026-10-02T03:30:00+08:00', kwh: '1.50', quality: 'M', rule: 'rollover' },
  ]);
  expect(vee['unit-302']).toEqual([
    { start: '2026-10-16T10:00:00+08:00', kwh: '1.90', quality: 'M', rule: 'swap' },
  ]);
  expect(presentVee(runs.run1.run)['unit-302']![0]!.kwh).toBe('1.65');
});

test('the order of the rows and repeated rows change nothing', () => {
  const [header, ...rows] = csv.trimEnd().split('\n');
  const shuffled = rows
    .map((row, index) => ({ row, key: (index * 7919) % rows.length }))
    .sort((a, b) => a.key - b.key);
  const mixed = [header, ...shuffled.map(({ row }) => row), ...rows.slice(0, 500)].join('\r\n');
  expect(presentRun(bill(undefined, mixed).run, true)).toEqual(presentRun(runs.run2.run, true));
});
