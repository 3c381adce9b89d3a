import type { Language, Usage, UsageBy, UsageItem } from '@parkline/contract';
import {
  cutUse,
  formatUnits,
  type HeldUsagePoint,
  tenantUsage,
  type TenantUse,
  type UseBucket,
} from '../metering/index.ts';
import type { Db } from '../platform/db.ts';
import { inLanguage } from '../platform/i18n.ts';
import { bucketEdges } from '../telemetry/index.ts';
import { costOf } from './cost.ts';
import { formatCents } from './present.ts';
import { createPriceList, type PriceAt } from './price-list.ts';
import { type StoredTariff, tariffs } from './tariffs.ts';

export interface UsageSpan {
  readonly from: Date;
  readonly to: Date;
  readonly now: Date;
}

/** Use of one usage point over a span, and its prices there. */
export interface PricedUse extends TenantUse {
  readonly point: HeldUsagePoint;
  readonly tariff: StoredTariff | undefined;
  readonly priceAt: PriceAt;
}

/** Call within `withActor`. */
export async function readPricedUse(
  db: Db,
  accountId: string,
  point: HeldUsagePoint,
  span: UsageSpan,
): Promise<PricedUse> {
  const { held, use } = await tenantUsage.read(db, point.id, span);
  const tariff = await tariffs.ofUsagePoint(db, accountId, point.id, point.timezone);
  const priceAt = tariff
    ? createPriceList(tariff.plans, span.from.getTime(), span.to.getTime())
    : () => undefined;
  return { point, held, use, tariff, priceAt };
}

/** The hours, days or months of the site's clock that touch the span. */
export async function readUsage(
  db: Db,
  accountId: string,
  point: HeldUsagePoint,
  { by, language, ...span }: UsageSpan & { readonly by: UsageBy; readonly language: Language },
): Promise<Usage> {
  const edges = await bucketEdges(db, {
    from: span.from,
    to: earlier(span.to, span.now),
    by,
    zone: point.timezone,
  });
  const whole = { from: edges[0] ?? span.from, to: edges.at(-1) ?? span.to, now: span.now };
  const priced = await readPricedUse(db, accountId, point, whole);
  return {
    usagePointId: point.id,
    commodity: point.commodity,
    unit: point.unit,
    timezone: point.timezone,
    currency: point.currency,
    by,
    items: cutPriced(priced, edges, span.now).map(toItem),
    costKind: 'estimate_before_common_pools',
    tariff: nameTariff(priced, whole.to, language),
  };
}

const earlier = (a: Date, b: Date): Date => (a < b ? a : b);

/** A bucket with its cost; amounts of several usage points add up as they are. */
export interface PricedBucket extends Pick<UseBucket, 'at' | 'to' | 'quality'> {
  readonly value: Amount | null;
  readonly cents: bigint | null;
}

/** A decimal that is not yet text: units x 10^-scale. */
export interface Amount {
  readonly units: bigint;
  readonly scale: number;
}

/** Buckets of one usage point, each priced by itself. */
export function cutPriced(
  { held, use, priceAt }: PricedUse,
  edges: readonly Date[],
  now: Date,
): PricedBucket[] {
  const cut = cutUse(
    use,
    edges.map((edge) => edge.getTime()),
    held,
    now.getTime(),
  );
  return cut.map(({ at, to, units, quality, spans }) => ({
    ...{ at, to, quality },
    value: units === null ? null : { units, scale: use.scale },
    cents: costOf(spans, use.scale, priceAt) ?? null,
  }));
}

export const toItem = ({ at, to, value, quality, cents }: PricedBucket): UsageItem => ({
  at: new Date(at).toISOString(),
  to: new Date(to).toISOString(),
  value: value && toNumber(value),
  quality,
  cost: cents === null ? null : formatCents(cents),
});

/** The shortest decimal is exact; as a JSON number it is for drawing only. */
export const toNumber = ({ units, scale }: Amount): number => Number(formatUnits(units, scale));

/** Name of the tariff and the version of its prices last in force before `until`. */
export function nameTariff(
  { tariff }: Pick<PricedUse, 'tariff'>,
  until: Date,
  language: Language,
): Usage['tariff'] {
  if (!tariff) return null;
  const versions = tariff.plans.flatMap((plan) => plan.tariff.versions);
  const last = versions.findLast(({ from }) => from < until.getTime());
  return last ? { name: inLanguage(tariff.name, language), version: last.id } : null;
}
