import { divideHalfUp, formatUnits, pow10, startOf } from '../metering/index.ts';
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
  pool: Pool,
  index: number,
): Pick<LineRecord, 'quantity' | 'amount' | 'formula' | 'weight' | 'weightSum'> {
  const { own, all, scale } = showWeight(pool, index);
  const share = pool.shares[index]!;
  const [weight, weightSum] = [formatUnits(own, scale, 0), formatUnits(all, scale, 0)];
  const amount = formatCents(share);
  const isPlain = divideHalfUp(pool.cents * own, all) === share;
  const formula = `${formatCents(pool.cents)} × ${weight} / ${weightSum} ${isPlain ? '=' : '≈'} ${amount}`;
  return { quantity: weight, amount, formula, weight, weightSum };
}

/** Digits of a percentage that stands for a bare ratio. */
const PERCENT_SCALE = 6;

/** The weight as its basis measures it; a bare ratio, which may have a hundred digits, as a percentage. */
function showWeight(
  { weights, weightScale }: Pool,
  index: number,
): { readonly own: bigint; readonly all: bigint; readonly scale: number } {
  const sum = weights.reduce((acc, weight) => acc + weight, 0n);
  if (weightScale !== null) return { own: weights[index]!, all: sum, scale: weightScale };
  const all = 100n * pow10(PERCENT_SCALE);
  return { own: divideHalfUp(weights[index]! * all, sum), all, scale: PERCENT_SCALE };
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
