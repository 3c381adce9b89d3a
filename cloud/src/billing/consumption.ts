import {
  type Checked,
  createGrid,
  createSeries,
  type Fault,
  type Grid,
  type Installation,
  localAt,
  addDays,
  pow10,
  type Quality,
  type Series,
  type Span,
  toUnits,
  trimDecimal,
} from '../metering/index.ts';
import type { ReadingsByMeter } from './read-readings.ts';
import type { Installed, Meter, Scenario, UsagePoint } from './scenario.ts';

/** Validated intervals of one usage point. */
export interface Metered {
  readonly usagePoint: UsagePoint;
  /** Through its own meter, export deducted. */
  readonly through: readonly bigint[];
  /** What stays at the point itself: `through` less the points below it. Of the supply this is the loss. */
  readonly own: readonly bigint[];
  readonly quality: readonly (Quality | undefined)[];
  readonly rule: readonly string[];
}

/** All energy of a run, in whole steps of 10^-energyScale kWh. */
export interface Consumption {
  readonly grid: Grid;
  /** The intervals of the period. */
  readonly billed: Span;
  readonly energyScale: number;
  readonly points: readonly Metered[];
}

/** Validates every register and leaves each kWh at exactly one usage point, so that the parts add up to the supply. */
export function createConsumption(scenario: Scenario, readings: ReadingsByMeter): Checked<Consumption> {
  const grid = createWindow(scenario, readings);
  const first = Math.round((scenario.period.start - grid.start) / grid.intervalMs);
  const billed = { first, last: first + (scenario.period.end - scenario.period.start) / grid.intervalMs };
  const energyScale = findEnergyScale(scenario);
  const faults: Fault[] = [];
  const through = scenario.usagePoints.map((usagePoint) => {
    const net = createNet(scenario, usagePoint, energyScale, (installations) =>
      createSeries(installations, (meter) => readings.get(meter) ?? [], grid, billed),
    );
    if (!net.ok) faults.push(...net.faults);
    return { usagePoint, ...(net.ok ? net.value : EMPTY) };
  });
  if (faults.length > 0) return { ok: false, faults };
  const points = through.map(({ usagePoint, energy, quality, rule }) => {
    const below = through.filter((other) => other.usagePoint.parent === usagePoint.id);
    const own = energy.map((value, k) => below.reduce((rest, child) => rest - child.energy[k]!, value));
    return { usagePoint, through: energy, own, quality, rule };
  });
  return { ok: true, value: { grid, billed, energyScale, points } };
}

const EMPTY: Series = { energy: [], quality: [], rule: [] };

/** Whole days around the period and every reading, because a like day may lie before it. */
function createWindow({ period, calendar }: Scenario, readings: ReadingsByMeter): Grid {
  let [earliest, latest] = [period.start, period.end - 1];
  for (const ofMeter of readings.values()) {
    earliest = Math.min(earliest, ofMeter[0]?.at ?? earliest);
    latest = Math.max(latest, ofMeter.at(-1)?.at ?? latest);
  }
  const from = localAt(earliest, calendar.timezone).date;
  const to = addDays(localAt(latest, calendar.timezone).date, 1);
  return createGrid(from, to, period.intervalMs, calendar);
}

/** Fine enough for one count of any meter times its multiplier. */
function findEnergyScale({ meters, installations }: Scenario): number {
  const decimals = meters.map((meter) => meter.decimals);
  const factors = installations.map(({ multiplier }) => trimDecimal(multiplier).scale);
  return Math.max(2, ...decimals) + Math.max(0, ...factors);
}

/** The registers at a usage point, in order of their installation. */
export function registersOf(
  { installations, meters }: Pick<Scenario, 'installations' | 'meters'>,
  usagePoint: string,
  energyScale: number,
): { readonly item: Installed; readonly register: Installation }[] {
  return installations
    .map((item, index) => ({ item, field: `installations[${index}]` }))
    .filter(({ item }) => item.usagePoint === usagePoint)
    .sort((a, b) => a.item.from - b.item.from)
    .map(({ item, field }) => ({ item, register: createInstallation(item, field, meters, energyScale) }));
}

function createNet(
  scenario: Scenario,
  { id }: UsagePoint,
  energyScale: number,
  seriesOf: (installations: readonly Installation[]) => Checked<Series>,
): Checked<Series> {
  const here = registersOf(scenario, id, energyScale);
  const [imported, exported] = (['import', 'export'] as const).map((direction) =>
    here.filter(({ item }) => item.direction === direction).map(({ register }) => register),
  );
  const plus = seriesOf(imported!);
  if (exported!.length === 0) return plus;
  const minus = seriesOf(exported!);
  if (plus.ok && minus.ok) return { ok: true, value: subtract(plus.value, minus.value) };
  return { ok: false, faults: [plus, minus].flatMap((side) => (side.ok ? [] : side.faults)) };
}

function createInstallation(
  item: Installed,
  field: string,
  meters: readonly Meter[],
  energyScale: number,
): Installation {
  const { digits, decimals } = meters.find(({ id }) => id === item.meter)!;
  const { units, scale } = trimDecimal(item.multiplier);
  return {
    meterId: item.meter,
    field,
    from: item.from,
    to: item.to,
    decimals,
    modulus: pow10(digits + decimals),
    energyPerCount: units * pow10(energyScale - decimals - scale),
    maxCountsPerInterval: BigInt(item.maxCountsPerInterval),
    ...(item.startIndex && { startCounts: toUnits(item.startIndex, decimals)! }),
    ...(item.finalIndex && { finalCounts: toUnits(item.finalIndex, decimals)! }),
  };
}

/** The worse quality of both registers holds for their difference. */
function subtract(plus: Series, minus: Series): Series {
  const worst = (a: Quality | undefined, b: Quality | undefined): Quality | undefined =>
    (['E', 'V', 'M'] as const).find((quality) => a === quality || b === quality);
  return {
    energy: plus.energy.map((energy, k) => energy - minus.energy[k]!),
    quality: plus.quality.map((quality, k) => worst(quality, minus.quality[k])),
    rule: plus.rule.map((rule, k) => [rule, minus.rule[k]].filter(Boolean).join('+')),
  };
}
