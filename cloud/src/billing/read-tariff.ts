import { type DayType, type Decimal, pow10, toUnits } from '../metering/index.ts';
import { complete, type Reader, type ReadInstant } from './reader.ts';
import {
  type AllocationRule,
  BASES,
  type BandRule,
  type DemandCharge,
  type ShareRule,
  type Tariff,
} from './scenario.ts';

const DAY_TYPES: readonly DayType[] = ['workday', 'weekend', 'holiday'];

export function readTariff(reader: Reader, instant: ReadInstant): Tariff | undefined {
  const tariff = reader.object('tariff');
  if (!tariff) return undefined;
  const read = complete({
    vatRate: tariff.decimal('vat_rate', 'not-negative'),
    versions: tariff.objects('versions', (item) =>
      complete({ id: item.text('id'), from: instant(item, 'from'), prices: item.decimals('prices') }),
    ),
    bands: tariff.objects('bands', readBand),
    capacityCharge: readDemandCharge(tariff),
    powerFactorRate: tariff.optional('power_factor_adjustment', () =>
      tariff.decimal('power_factor_adjustment'),
    ),
  });
  return read && { ...read, versions: read.versions.toSorted((a, b) => a.from - b.from) };
}

function readBand(item: Reader): BandRule | undefined {
  return complete({
    band: item.text('band'),
    days: readDays(item),
    months: readMonths(item),
    from: readMinute(item, 'from'),
    to: readMinute(item, 'to'),
  });
}

/** 'all', one type of day, or a list of types. */
function readDays(item: Reader): readonly DayType[] | undefined {
  const several = item.several('days', [...DAY_TYPES, 'all']);
  return several?.includes('all') ? DAY_TYPES : (several as DayType[] | undefined);
}

/** Season of a band as a list of month numbers; all year when absent. */
function readMonths(item: Reader): readonly number[] | undefined {
  const names = Array.from({ length: 12 }, (_, index) => String(index + 1));
  const months = item.optional('months', () => item.several('months', names));
  return months === undefined ? undefined : (months ?? []).map(Number);
}

function readMinute(item: Reader, key: string): number | undefined {
  const text = item.text(key);
  if (text === undefined) return undefined;
  const match = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text);
  const minute = match ? Number(match[1]) * 60 + Number(match[2]) : Infinity;
  return minute <= 1440 ? minute : item.fault(key, `must be a time of day HH:MM, not ${text}`);
}

/** A two-part tariff charges the highest mean power or the contracted capacity, never both. */
function readDemandCharge(tariff: Reader): DemandCharge | null | undefined {
  const demand = tariff.optional('demand', () => {
    const price = tariff.object('demand')?.decimal('price', 'not-negative');
    return price && { kind: 'demand' as const, price };
  });
  const capacity = tariff.optional('capacity', () => {
    const charge = tariff.object('capacity');
    const read =
      charge &&
      complete({
        price: charge.decimal('price', 'not-negative'),
        kva: charge.decimal('kva', 'not-negative'),
      });
    return read && { kind: 'capacity' as const, ...read };
  });
  if (demand === undefined || capacity === undefined) return undefined;
  return demand && capacity
    ? tariff.fault('capacity', 'cannot be charged beside demand')
    : (demand ?? capacity);
}

export function readAllocation(item: Reader): AllocationRule | undefined {
  return complete({ pool: item.text('pool'), share: readShare(item) });
}

function readShare(item: Reader): ShareRule | undefined {
  const basis = item.choice('basis', BASES);
  if (basis === undefined) return undefined;
  const weighted = basis === 'metered' || basis === 'fixed_percent';
  const share = complete({
    basis,
    ...readVacancy(item),
    weights: weighted ? item.decimals('weights') : null,
    parts: basis === 'mixed' ? item.objects('parts', readPart) : [],
  });
  if (!share) return undefined;
  const percents =
    basis === 'mixed' ? share.parts.map(({ percent }) => percent) : [...(share.weights?.values() ?? [])];
  if ((basis === 'mixed' || basis === 'fixed_percent') && !isWhole(percents))
    return item.fault(basis === 'mixed' ? 'parts' : 'weights', 'must be parts that add up to 100 (or to 1)');
  return share;
}

function readPart(item: Reader): ShareRule['parts'][number] | undefined {
  return complete({ percent: item.decimal('percent', 'positive'), share: readShare(item) });
}

/** The denominator says the same as the vacancy rule, in the words of a lease; where both are given they must agree. */
function readVacancy(item: Reader): { vacancy: ShareRule['vacancy'] | undefined; occupiedOnly: boolean } {
  const vacancy = item.optional('vacancy', () => item.choice('vacancy', ['landlord', 'redistribute']));
  const denominator = item.optional('denominator', () =>
    item.choice('denominator', ['rentable', 'leased', 'occupied']),
  );
  if (vacancy === undefined || denominator === undefined) return { vacancy: undefined, occupiedOnly: false };
  const implied = denominator === null ? null : denominator === 'rentable' ? 'landlord' : 'redistribute';
  if (implied && vacancy && implied !== vacancy)
    return { vacancy: item.fault('denominator', `contradicts vacancy ${vacancy}`), occupiedOnly: false };
  return { vacancy: vacancy ?? implied ?? 'landlord', occupiedOnly: denominator === 'occupied' };
}

function isWhole(percents: readonly Decimal[]): boolean {
  const sum = percents.reduce((acc, percent) => acc + toUnits(percent, 60)!, 0n);
  return sum === pow10(62) || sum === pow10(60);
}
