import type { HistoryItem, Point } from '@parkline/contract';
import type { Api, Signal } from '../api/client.ts';
import type { Reading } from './reading.ts';

/** The last value that a point had before it could no longer be read. */
export interface LastGood {
  readonly value: number;
  /** Unix ms at the gateway. */
  readonly at: number;
}

/** How far the gateway's word on the last answer may lag behind the samples of that answer. */
const slackMs = 60_000;

function lastOf(items: readonly HistoryItem[]): LastGood | undefined {
  const last = items.findLast(({ value }) => value !== null);
  return last?.value == null ? undefined : { value: last.value, at: Date.parse(last.at) };
}

/** What the points of a device read when it last answered, at `answeredAt`; without those that nothing is known of. */
export async function findLastGood(
  api: Pick<Api, 'history'>,
  points: readonly Point[],
  answeredAt: number,
  signal?: Signal,
): Promise<ReadonlyMap<string, LastGood>> {
  const found = await Promise.all(
    points.map(async ({ id, staleAfterMs }) => {
      // A value that did not move was reported up to this long before the last answer.
      const range = { from: answeredAt - staleAfterMs, to: answeredAt + slackMs, by: 'raw' as const };
      return [id, lastOf((await api.history(id, range, signal)).items)] as const;
    }),
  );
  return new Map(found.flatMap(([id, last]) => (last ? [[id, last]] : [])));
}

/** A reading without a value falls back to the last good one, which is stale by its nature. */
export const orLastGood = (reading: Reading, last: LastGood | undefined): Reading =>
  reading.value === null && last ? { ...last, freshness: 'stale' } : reading;
