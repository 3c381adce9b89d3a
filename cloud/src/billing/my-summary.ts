import {
  commodities,
  type Commodity,
  type Language,
  type UsageSum,
  type UsageSummary,
} from '@parkline/contract';
import { coverage, type HeldUsagePoint, monthOf, pow10, tenantUsage } from '../metering/index.ts';
import { places } from '../places/index.ts';
import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { bucketEdges } from '../telemetry/index.ts';
import { costOf } from './cost.ts';
import {
  type Amount,
  cutPriced,
  nameTariff,
  type PricedBucket,
  type PricedUse,
  readPricedUse,
  toItem,
  toNumber,
} from './my-usage.ts';
import { formatCents } from './present.ts';

export interface SummaryRequest {
  readonly accountId: string;
  readonly tenantId: string;
  readonly tenantName: string;
  readonly now: Date;
  readonly language: Language;
}

/**
 * The running month of a tenant. Call within `withActor`. A tenant of several sites is told of the first.
 * @throws AppError 'not_found' when the tenant leases nothing.
 */
export async function readSummary(db: Db, request: SummaryRequest): Promise<UsageSummary> {
  const { accountId, tenantId, now, language } = request;
  const site = (await places.all(db, accountId)).sites[0];
  if (!site) throw new AppError('not_found', 'the tenant leases no space', { details: { id: tenantId } });
  const month = monthOf(now.getTime(), site.timezone);
  const points = (await tenantUsage.list(db, accountId, tenantId)).filter(
    ({ timezone, currency }) => timezone === site.timezone && currency === site.currency,
  );
  const read = (from: number, to: number) => readAll(db, accountId, points, { from, to, now });
  const [current, last] = [
    await read(month.start, now.getTime()),
    await read(month.lastStart, month.lastEnd),
  ];
  const electric = current.filter(({ point }) => point.commodity === 'electricity');
  return {
    timezone: site.timezone,
    currency: site.currency,
    tenantName: request.tenantName,
    month: month.month,
    from: new Date(month.start).toISOString(),
    until: now.toISOString(),
    items: commodities.flatMap((commodity) => summarize(commodity, current, last)),
    costKind: 'estimate_before_common_pools',
    tariff: electric[0] ? nameTariff(electric[0], now, language) : null,
    today: await hoursOf(db, electric, { from: new Date(month.today), now, timezone: site.timezone }),
  };
}

async function readAll(
  db: Db,
  accountId: string,
  points: readonly HeldUsagePoint[],
  { from, to, now }: { from: number; to: number; now: Date },
): Promise<PricedUse[]> {
  const uses: PricedUse[] = [];
  // One after the other: they share a connection.
  for (const point of points)
    uses.push(await readPricedUse(db, accountId, point, { from: new Date(from), to: new Date(to), now }));
  return uses.filter(({ held }) => held.length > 0);
}

function summarize(
  commodity: Commodity,
  current: readonly PricedUse[],
  last: readonly PricedUse[],
): UsageSummary['items'] {
  const [here, before] = [current, last].map((uses) =>
    uses.filter(({ point }) => point.commodity === commodity),
  );
  const first = here![0];
  if (!first) return [];
  const covered = here!.map(({ use, held }) => coverage(use, held));
  const heldMs = covered.reduce((sum, one) => sum + one.heldMs, 0);
  const knownMs = covered.reduce((sum, one) => sum + one.knownMs, 0);
  return [
    {
      commodity,
      unit: first.point.unit,
      ...sumUp(here!),
      lastMonth: before!.length > 0 ? sumUp(before!) : null,
      completeness: Math.min(1, knownMs / heldMs),
    },
  ];
}

/** What is known of several usage points; null where nothing is. Each is rounded by itself, as on a bill of its own. */
function sumUp(uses: readonly PricedUse[]): UsageSum {
  const known = uses.filter(({ use }) => use.spans.length > 0);
  const amounts = known.map(({ use: { spans, scale } }) => ({
    units: spans.reduce((sum, { units }) => sum + units, 0n),
    scale,
  }));
  const costs = known.flatMap(({ use, priceAt }) => costOf(use.spans, use.scale, priceAt) ?? []);
  return {
    use: known.length > 0 ? toNumber(addUp(amounts)) : null,
    cost: costs.length > 0 ? formatCents(costs.reduce((sum, cents) => sum + cents, 0n)) : null,
  };
}

function addUp(amounts: readonly Amount[]): Amount {
  const scale = Math.max(...amounts.map((one) => one.scale));
  return {
    units: amounts.reduce((sum, one) => sum + one.units * pow10(scale - one.scale), 0n),
    scale,
  };
}

/** The hours since the site's midnight, over all usage points; an hour that one of them does not know is not known. */
async function hoursOf(
  db: Db,
  uses: readonly PricedUse[],
  { from, now, timezone }: { from: Date; now: Date; timezone: string },
): Promise<UsageSummary['today']> {
  const edges = from < now ? await bucketEdges(db, { from, to: now, by: 'hour', zone: timezone }) : [];
  const hours = Map.groupBy(
    uses.flatMap((use) => cutPriced(use, edges, now)),
    ({ at }) => at,
  );
  return [...hours.values()].map((buckets) => toItem(merge(buckets))).sort((a, b) => (a.at < b.at ? -1 : 1));
}

function merge(buckets: readonly PricedBucket[]): PricedBucket {
  const values = buckets.flatMap(({ value }) => value ?? []);
  const costs = buckets.flatMap(({ cents }) => cents ?? []);
  const whole = values.length === buckets.length;
  return {
    at: buckets[0]!.at,
    to: buckets[0]!.to,
    quality: buckets.every(({ quality }) => quality === 'good') ? 'good' : 'uncertain',
    value: whole ? addUp(values) : null,
    cents: whole && costs.length === buckets.length ? costs.reduce((sum, one) => sum + one, 0n) : null,
  };
}
