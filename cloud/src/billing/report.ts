import { formatLocal, startOf } from '../metering/index.ts';
import { formatCents, formatEnergy, presentVee, type VeeRow } from './present.ts';
import { APPROVAL_HOURS, isMuchEstimated, isOddLoss, longestEstimate, partOf, sumSupply } from './judge.ts';
import { formatTable } from './table.ts';
import type { Statement } from './run.ts';
import type { Simulation } from './simulate.ts';
import { type Language, type Words, words } from './words.ts';

/** The run as a person reads it: the supply bill, a statement per participant, and what deserves a second look. */
export function describeRun({ scenario, run }: Simulation, language: Language): string {
  const text = words[language];
  const { timezone } = scenario.calendar;
  const { supply, consumption } = run;
  const head = `${scenario.siteName}  ${scenario.period.from} .. ${scenario.period.to} ${timezone}  ${scenario.currency}`;
  const peak = `${formatEnergy(supply.peakPower, consumption.energyScale)} kW, ${formatLocal(startOf(consumption.grid, supply.peak), timezone)}`;
  const supplyRows = [
    [text.energy, formatCents(supply.energy), ''],
    [text.demand, formatCents(supply.demand), peak],
    [text.powerFactor, formatCents(supply.powerFactor), ''],
    [text.total, formatCents(supply.total), ''],
  ];
  const blocks = [
    head.trim(),
    text.supply,
    formatTable(supplyRows, 1),
    text.statements,
    statementTable(run.statements, text, run, scenario),
  ];
  const notes = describeNotes({ run }, text);
  return `${[...blocks, text.notes, ...(notes.length > 0 ? notes : [text.none])].join('\n')}\n`;
}

/** One row per line of the statement, one column per participant, and the sum that must equal the supply bill. */
function statementTable(
  statements: readonly Statement[],
  text: Words,
  { consumption }: Simulation['run'],
  { tariff }: Simulation['scenario'],
): string {
  const sum = (of: (statement: Statement) => bigint): bigint =>
    statements.reduce((acc, item) => acc + of(item), 0n);
  const row = (name: string, of: (statement: Statement) => bigint): string[] => [
    name,
    ...statements.map((statement) => formatCents(of(statement))),
    formatCents(sum(of)),
  ];
  const energy = (value: bigint): string => formatEnergy(value, consumption.energyScale);
  const directEnergy = statements.map((statement) => statement.directEnergy);
  return formatTable(
    [
      ['', ...statements.map(({ participant }) => participant), text.sum],
      [text.directEnergy, ...directEnergy.map(energy), energy(sum((statement) => statement.directEnergy))],
      row(text.direct, ({ direct }) => direct),
      ...(statements[0]?.pools ?? []).map(({ pool }, index) =>
        row(text.pools[pool] ?? pool, ({ pools }) => pools[index]!.cents),
      ),
      row(text.rounding, ({ rounding }) => rounding ?? 0n),
      row(text.total, ({ total }) => total),
      row(text.net, ({ net }) => net),
      row(`${text.vat} ${percentOf(tariff.vatRate)}`, ({ vat }) => vat),
    ],
    Infinity,
  );
}

function percentOf({ units, scale }: { units: bigint; scale: number }): string {
  return `${Number((units * 10_000n) / 10n ** BigInt(scale)) / 100} %`;
}

/** Loss, estimates and exchanges: what finance looks at before a run is locked. The limits are explained in docs/billing.md. */
function describeNotes({ run }: Pick<Simulation, 'run'>, text: Words): string[] {
  const { consumption, statements, lossEnergy } = run;
  const throughSupply = sumSupply(consumption);
  const kwh = (energy: bigint): string => formatEnergy(energy, consumption.energyScale);
  const notes = [text.loss(kwh(lossEnergy), partOf(lossEnergy, throughSupply))];
  if (isOddLoss(lossEnergy, throughSupply)) notes.push(text.oddLoss);
  for (const { usagePoint, quality } of consumption.points) {
    const hours = (longestEstimate(quality) * consumption.grid.intervalMs) / 3_600_000;
    if (hours > APPROVAL_HOURS) notes.push(text.approval(usagePoint.id, hours));
  }
  for (const [point, rows] of Object.entries(presentVee(run))) notes.push(...describeRows(point, rows, text));
  for (const { participant, estimatedEnergy, directEnergy } of statements)
    if (isMuchEstimated(estimatedEnergy, directEnergy))
      notes.push(
        text.estimatedShare(participant, kwh(estimatedEnergy), partOf(estimatedEnergy, directEnergy)),
      );
  return notes.map((note) => `  ${note}`);
}

/** Runs of the same rule are told in one line. */
function describeRows(point: string, rows: readonly VeeRow[], text: Words): string[] {
  const byRule = Map.groupBy(rows, ({ quality, rule }) => `${quality} ${rule}`);
  return [...byRule].map(([rule, found]) =>
    text.intervals(point, rule, found.length, found[0]!.start, found.at(-1)!.start),
  );
}
