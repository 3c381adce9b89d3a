import type { Sample } from '@parkline/kit';

/** A push told this long after it happened is still the present: networks dawdle, and clocks of devices differ, ms. */
const LIVE_MS = 30_000;

/** How a sample came: asked for, or of the device's own accord. */
export type Way = 'poll' | 'push';

/** What is known of a point when a sample of it arrives. All times are Unix ms. */
export interface Known {
  /** The last sample that was sent on. */
  readonly sent: Sample | undefined;
  /** The last one the device pushed, with its own time. */
  readonly pushed: Sample | undefined;
  /** When that one arrived. */
  readonly pushedAt: number;
}

/** news: it may become the state of the point, at this time. late: it belongs to the past. repeat: it was here before. */
export type Place = { readonly as: 'news' | 'late'; readonly at: number } | { readonly as: 'repeat' };

/**
 * Puts a sample into the order of its point. Pure. What a device pushes comes in the order it happened; a poll may meet
 * a push on its way, and then tells of an earlier state. Time follows that order and never runs backwards in it:
 * - A push from the future happened when it arrived, else it would make every later reading look old.
 * - A push that is no later than what was sent is moved up behind it while it is fresh: its clock or its way was slow.
 *   When it is older than that, it is history, told late.
 * - After the gateway's clock was set back, what was sent before says nothing about order.
 */
export function placeOf(sample: Sample, way: Way, known: Known, arrivedAt: number): Place {
  const { sent, pushed, pushedAt } = known;
  if (way === 'poll') {
    const isOvertaken = pushed !== undefined && sample.beganAt <= pushedAt && pushedAt <= arrivedAt;
    return isOvertaken ? { as: 'late', at: sample.beganAt } : { as: 'news', at: sample.at };
  }
  if (pushed && isSame(sample, pushed)) return { as: 'repeat' };
  const at = Math.min(sample.at, arrivedAt);
  if (!sent || at > sent.at || sent.at > arrivedAt) return { as: 'news', at };
  if (isSame({ ...sample, at }, sent)) return { as: 'repeat' };
  return arrivedAt - at <= LIVE_MS ? { as: 'news', at: sent.at } : { as: 'late', at };
}

const isSame = (a: Sample, b: Sample): boolean =>
  a.at === b.at && a.value === b.value && a.quality === b.quality;
