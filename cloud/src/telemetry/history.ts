import { type History, type HistoryBy, type HistoryItem, qualityOf } from '@parkline/contract';
import type { Db } from '../platform/db.ts';
import { bucketEdges, type HistoryPoint, readings } from './repository.ts';
import { engineering, flag, registerUse } from './sample.ts';

export interface HistoryRequest {
  readonly from: Date;
  readonly to: Date;
  readonly by: HistoryBy;
  /** Items of a page. */
  readonly limit: number;
  /** Where the page begins; `from` on the first one. */
  readonly start: Date;
  readonly now: Date;
}

/** Imported readings come at most an hour apart (the coarsest rhythm an import's columns have): a longer silence is a gap. */
const IMPORT_RHYTHM_MS = 3_600_000;
/** More holes than this say only that there is nothing to see. */
const MAX_GAPS = 1_000;

/** A page of a point's past, in engineering units. Call inside a transaction of the point's account. */
export async function readHistory(db: Db, point: HistoryPoint, request: HistoryRequest): Promise<History> {
  const { items, next } =
    request.by === 'raw' ? await rawPage(db, point, request) : await bucketPage(db, point, request);
  const span = { from: request.start, to: next ?? request.to, now: request.now };
  const gaps = await readings.gaps(db, point, span, IMPORT_RHYTHM_MS, MAX_GAPS);
  return {
    pointId: point.id,
    unit: point.unit,
    kind: point.kind,
    by: request.by,
    timezone: point.timezone,
    items,
    gaps: gaps.map(({ gapFrom, gapTo }) => ({ from: gapFrom.toISOString(), to: gapTo.toISOString() })),
    next: next?.toISOString() ?? null,
  };
}

interface HistoryPage {
  readonly items: HistoryItem[];
  /** Where the next page begins. */
  readonly next: Date | undefined;
}

async function rawPage(
  db: Db,
  point: HistoryPoint,
  { start, to, limit }: HistoryRequest,
): Promise<HistoryPage> {
  const rows = await readings.raw(db, point.id, start, to, limit + 1);
  const items = rows.slice(0, limit).map(({ ts, value, quality, flags }): HistoryItem => ({
    at: ts.toISOString(),
    value: engineering(value, point.resolution),
    quality: qualityOf(quality),
    ...(flags & flag.simulated && { simulated: true }),
    ...(flags & flag.suspect && { timeSuspect: true }),
  }));
  return { items, next: rows[limit]?.ts };
}

/** A bucket in counts of the point's resolution. */
interface Bucket extends Pick<HistoryItem, 'quality'> {
  readonly value: number | null;
  readonly min?: number | null;
  readonly max?: number | null;
  readonly simulated: boolean;
}

async function bucketPage(db: Db, point: HistoryPoint, request: HistoryRequest): Promise<HistoryPage> {
  const { start, to, by, limit, now } = request;
  // Buckets that have not begun are not missing.
  const until = now < to ? now : to;
  const all =
    start < until ? await bucketEdges(db, { from: start, to: until, by, zone: point.timezone }) : [];
  const edges = all.slice(0, limit + 1);
  const next = all.length > edges.length ? edges.at(-1) : undefined;
  const bucketOf =
    point.kind === 'register'
      ? await registerBuckets(db, point, edges, now)
      : await gaugeBuckets(db, point, edges, by);
  const items = edges.slice(0, -1).map((at, i): HistoryItem => {
    const { value, min, max, quality, simulated } = bucketOf(i);
    return {
      at: at.toISOString(),
      to: edges[i + 1]!.toISOString(),
      value: engineering(value, point.resolution),
      ...(min !== undefined && { min }),
      ...(max !== undefined && { max }),
      quality,
      ...(simulated && { simulated }),
    };
  });
  return { items, next };
}

async function gaugeBuckets(db: Db, point: HistoryPoint, edges: readonly Date[], by: HistoryBy) {
  const [first, last] = [edges[0], edges.at(-1)];
  const rows = first && last ? await readings.buckets(db, point, first, last, by) : [];
  const byStart = new Map(rows.map((row) => [row.at.getTime(), row]));
  return (i: number): Bucket => {
    const row = byStart.get(edges[i]!.getTime());
    if (!row) return { value: null, min: null, max: null, quality: 'bad', simulated: false };
    const { mean, leastValue, greatestValue, worst, simulated } = row;
    // A mean has no digits beyond those of a double worth showing.
    const value = mean === null ? null : Number(mean.toPrecision(12));
    return { value, min: leastValue, max: greatestValue, quality: qualityOf(worst), simulated };
  };
}

/** Use is the difference between the register at both edges, so the hours of a day sum to the day by construction. */
async function registerBuckets(db: Db, point: HistoryPoint, edges: readonly Date[], now: Date) {
  const known = new Map(
    (await readings.registerAt(db, point.id, edges)).map((row) => [row.at.getTime(), row] as const),
  );
  const running = await runningEnd(db, point, edges, now);
  return (i: number): Bucket => {
    const start = known.get(edges[i]!.getTime());
    const isRunning = edges[i + 1]! > now;
    const end = isRunning ? running : known.get(edges[i + 1]!.getTime());
    const use = start && end ? registerUse(start.value, end.value) : null;
    // A register below where it was has rolled over or was misread: nothing here can tell which.
    const isCertain = start && end && end.value >= start.value && !isRunning;
    const simulated = (start?.simulated ?? false) || (end?.simulated ?? false);
    return { value: use, quality: isCertain ? 'good' : 'uncertain', simulated };
  };
}

/** The bucket that is not over ends, for now, at the last good reading in it. */
async function runningEnd(db: Db, point: HistoryPoint, edges: readonly Date[], now: Date) {
  const [start, end] = edges.slice(-2);
  return start && end && end > now ? readings.registerLast(db, point.id, start, now) : undefined;
}
