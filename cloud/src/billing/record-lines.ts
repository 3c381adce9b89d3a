import { divideHalfUp, formatUnits, startOf } from '../metering/index.ts';
import { exactEnergy, formatCents } from './present.ts';
import type { Line } from './price.ts';
import type { IntervalRecord, LineRecord, PoolLineRecord } from './record.ts';
import type { Pool, Statement } from './run.ts';
import type { Simulation } from './simulate.ts';

/** What a line shares with every other of its kind, before its own figures. */
const bare = {
  quantity: null,
  unit: null,
  price: null,
  pool: null,
  poolTotal: null,
  poolLines: [],
  usagePoints: [],
  meters: [],
  band: null,
  tariffVersion: null,
  intervalParty: null,
  intervalAt: null,
  intervals: 0,
  weight: null,
  weightSum: null,
} satisfies Partial<LineRecord>;

/** The lines of a statement: own energy by price, the share of every pool, and the landlord's rounding. */
export function recordLines(
  { scenario, run }: Simulation,
  intervals: readonly IntervalRecord[],
): (statement: Statement) => LineRecord[] {
  const { energyScale } = run.consumption;
  const byPrice = Map.groupBy(
    intervals,
    ({ party, tariffVersion, band }) => `${party} ${tariffVersion} ${band}`,
  );
  const countOf = Map.groupBy(intervals, ({ usagePoint }) => usagePoint);
  const metersOf = (points: readonly string[]): string[] => [
    ...new Set(
      scenario.installations
        .filter(({ usagePoint, from, to }) => {
          return (
            points.includes(usagePoint) &&
            from < scenario.period.end &&
            (to ?? Infinity) > scenario.period.start
          );
        })
        .map(({ meter }) => meter),
    ),
  ];

  function energyLine(party: string, line: Line): LineRecord {
    const { version, band } = line.rate;
    const behind = byPrice.get(`${party} ${version} ${band}`) ?? [];
    const usagePoints = [...new Set(behind.map(({ usagePoint }) => usagePoint))];
    const { quantity, price, amount } = printLine(line, energyScale);
    return {
      ...bare,
      kind: 'energy',
      ...{ quantity, unit: 'kWh', price, amount },
      formula: `${quantity} kWh × ${price} = ${amount}`,
      usagePoints,
      meters: metersOf(usagePoints),
      ...{ band, tariffVersion: version, intervalParty: party, intervals: behind.length },
    };
  }

  function shareLine(pool: Pool, index: number): LineRecord {
    const behind = intervalsOf(pool.pool);
    return {
      ...bare,
      kind: 'share',
      ...describeShare(pool, index),
      pool: pool.pool,
      poolTotal: formatCents(pool.cents),
      poolLines: pool.lines.map((line) => printLine(line, energyScale)),
      ...behind,
      meters: metersOf(behind.usagePoints),
    };
  }

  /** Energy pools rest on their usage point, the demand on one interval of the supply, a power factor on amounts. */
  function intervalsOf(pool: string): Pick<LineRecord, 'usagePoints' | 'intervalAt' | 'intervals'> {
    const supply = scenario.usagePoints.find(({ role }) => role === 'supply')!.id;
    const point = pool === 'loss' ? supply : pool;
    if (pool === 'demand' && scenario.tariff.capacityCharge?.kind === 'demand')
      return {
        usagePoints: [supply],
        intervalAt: startOf(run.consumption.grid, run.supply.peak),
        intervals: 1,
      };
    const count = countOf.get(point)?.length ?? 0;
    return { usagePoints: count > 0 ? [point] : [], intervalAt: null, intervals: count };
  }

  return ({ participant, lines, rounding }) => {
    const index = scenario.participants.indexOf(participant);
    const direct = lines.map((line) => energyLine(participant, line));
    const shares = run.pools.map((pool) => shareLine(pool, index));
    return [...direct, ...shares, ...(rounding === null ? [] : [roundingLine(rounding, run.supply.total)])];
  };
}

/** '15102.88 × 18600 / 55800 = 5034.29'; an ≈ where a cent went to or came from a larger remainder. */
function describeShare(
  { cents, weights, weightScale, shares }: Pool,
  index: number,
): Pick<LineRecord, 'quantity' | 'amount' | 'formula' | 'weight' | 'weightSum'> {
  const sum = weights.reduce((acc, weight) => acc + weight, 0n);
  const [own, all] = [weights[index]!, sum].map((units) => formatUnits(units, weightScale, 0));
  const amount = formatCents(shares[index]!);
  const isPlain = divideHalfUp(cents * weights[index]!, sum) === shares[index]!;
  const formula = `${formatCents(cents)} × ${own!} / ${all!} ${isPlain ? '=' : '≈'} ${amount}`;
  return { quantity: own!, amount, formula, weight: own!, weightSum: all! };
}

function printLine({ rate, energy, cents }: Line, energyScale: number): PoolLineRecord {
  return {
    band: rate.band,
    tariffVersion: rate.version,
    quantity: exactEnergy(energy, energyScale),
    price: formatUnits(rate.price.units, rate.price.scale),
    amount: formatCents(cents),
  };
}

function roundingLine(cents: bigint, supply: bigint): LineRecord {
  const [charged, total, amount] = [supply - cents, supply, cents].map(formatCents);
  return { ...bare, kind: 'rounding', amount: amount!, formula: `${total!} − ${charged!} = ${amount!}` };
}
