import { formatUnits } from '../metering/index.ts';
import { APPROVAL_HOURS, isMuchEstimated, isOddLoss, longestEstimate, partOf, sumSupply } from './judge.ts';
import { formatCents, formatEnergy } from './present.ts';
import { totalCents } from './price.ts';
import type { CheckRecord } from './record.ts';
import type { BillingRun } from './run.ts';

/** Everything that is looked at before somebody is billed, good or not. */
export function judgeRun(run: BillingRun): CheckRecord[] {
  return [
    judgeTotal(run),
    judgeRounding(run),
    judgeEnergy(run),
    judgeCompleteness(run),
    judgeEstimates(run),
    judgeLoss(run),
  ];
}

function judgeTotal({ supply, statements }: BillingRun): CheckRecord {
  const sum = statements.reduce((acc, { total }) => acc + total, 0n);
  const facts = { statements: formatCents(sum), supply: formatCents(supply.total) };
  return { key: 'statements_equal_supply', ok: sum === supply.total, facts };
}

function judgeRounding({ supply, pools, statements }: BillingRun): CheckRecord {
  const lists = [supply, ...pools, ...statements].map(({ lines }) => lines);
  const lines = BigInt(lists.reduce((sum, list) => sum + list.length, 0));
  const rounding = totalCents(statements.map((statement) => ({ cents: statement.rounding ?? 0n })));
  const limit = formatUnits(lines * 5n, 3, 2);
  const size = rounding < 0n ? -rounding : rounding;
  const facts = { rounding: formatCents(rounding), lines: String(lines), limit };
  return { key: 'rounding_within_law', ok: 2n * size <= lines, facts };
}

function judgeEnergy({ consumption }: BillingRun): CheckRecord {
  const { points, billed, energyScale } = consumption;
  const own = points
    .flatMap((point) => point.own.slice(billed.first, billed.last))
    .reduce((sum, energy) => sum + energy, 0n);
  const supply = sumSupply(consumption);
  const facts = { billed: formatEnergy(own, energyScale), supply: formatEnergy(supply, energyScale) };
  return { key: 'all_energy_billed_once', ok: own === supply, facts };
}

function judgeCompleteness({ consumption }: BillingRun): CheckRecord {
  const { points, billed, grid } = consumption;
  const qualities = points.map(({ quality }) => quality.slice(billed.first, billed.last));
  const all = qualities.flat();
  const registered = all.filter((quality) => quality === 'M' || quality === 'V').length;
  const longest = (Math.max(...qualities.map(longestEstimate)) * grid.intervalMs) / 3_600_000;
  const facts = {
    part: partOf(BigInt(registered), BigInt(all.length)),
    estimated: String(all.length - registered),
    hours: String(longest),
    limit: String(APPROVAL_HOURS),
  };
  return { key: 'completeness', ok: longest <= APPROVAL_HOURS, facts };
}

function judgeEstimates({ statements }: BillingRun): CheckRecord {
  const over = statements.filter((one) => isMuchEstimated(one.estimatedEnergy, one.directEnergy));
  const facts = {
    parties: over
      .map((one) => `${one.participant} ${partOf(one.estimatedEnergy, one.directEnergy)}`)
      .join(', '),
  };
  return { key: 'estimates_within_limit', ok: over.length === 0, facts };
}

function judgeLoss({ consumption, lossEnergy }: BillingRun): CheckRecord {
  const supply = sumSupply(consumption);
  const facts = {
    loss: formatEnergy(lossEnergy, consumption.energyScale),
    part: partOf(lossEnergy, supply),
  };
  return { key: 'loss_within_limits', ok: !isOddLoss(lossEnergy, supply), facts };
}
