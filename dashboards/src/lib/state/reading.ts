import type { LiveSample, Point } from '@parkline/contract';

/**
 * What may be said about a value now. `stale`: it was true once, but the point has been silent too long; `bad`: the
 * device answered that it cannot be read; `never`: nothing came yet.
 */
export type Freshness = 'good' | 'uncertain' | 'bad' | 'stale' | 'never';

/** A point with the newest value known, from the list or from the stream. */
export interface Reading {
  readonly value: number | null;
  /** Unix ms at the gateway. */
  readonly at: number | null;
  readonly freshness: Freshness;
}

type Latest = Pick<LiveSample, 'value' | 'at' | 'quality'>;

/** The later of the two, so that a slow list never hides what the stream already brought. */
function later(listed: Latest, streamed: Latest | undefined): Latest {
  if (!streamed?.at) return listed;
  return !listed.at || Date.parse(streamed.at) >= Date.parse(listed.at) ? streamed : listed;
}

export function readingOf(
  point: Pick<Point, 'value' | 'at' | 'quality' | 'staleAfterMs'>,
  streamed: Latest | undefined,
  now: number,
): Reading {
  const { value, at, quality } = later(point, streamed);
  if (!at) return { value: null, at: null, freshness: 'never' };
  const ms = Date.parse(at);
  if (now - ms > point.staleAfterMs) return { value, at: ms, freshness: 'stale' };
  if (quality === 'bad' || value === null) return { value: null, at: ms, freshness: 'bad' };
  return { value, at: ms, freshness: quality === 'uncertain' ? 'uncertain' : 'good' };
}
