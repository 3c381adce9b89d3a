/** What a look at the values says: the condition holds, it does not, or nothing can be said. */
export type Sure = 'holds' | 'not' | 'unknown';

/** Where a rule stands on one subject. Times in Unix ms. */
export interface Track {
  readonly phase: 'idle' | 'pending' | 'open';
  /** pending: since when the condition holds; open: since when it does not, or null. Shifted by time without evidence. */
  readonly since: number | null;
  /** Since when there is no evidence; null while there is, or while no time is being counted. */
  readonly blindSince: number | null;
}

export const idle: Track = { phase: 'idle', since: null, blindSince: null };

export interface Times {
  /** The condition must hold this long before the episode opens. */
  readonly forMs: number;
  /** The contrary must hold this long before it clears. */
  readonly clearForMs: number;
  /** It never clears by itself. */
  readonly latched: boolean;
}

export interface Step {
  readonly track: Track;
  readonly event?: 'open' | 'clear';
}

/**
 * One step of an episode. Silence proves nothing: it neither opens nor clears, and its length does not count. A point that
 * flaps faster than `clearForMs` stays one episode, one that flaps faster than `forMs` none. Pure.
 */
export function advance(track: Track, sure: Sure, now: number, times: Times): Step {
  if (sure === 'unknown')
    return track.since === null || track.blindSince !== null
      ? { track }
      : { track: { ...track, blindSince: now } };

  const blindMs = track.blindSince === null ? 0 : Math.max(0, now - track.blindSince);
  const since = track.since === null ? null : track.since + blindMs;
  if (track.phase === 'open') return advanceOpen(since, sure, now, times);
  if (sure === 'not') return { track: idle };
  const from = since ?? now;
  return now - from >= times.forMs
    ? { track: { phase: 'open', since: null, blindSince: null }, event: 'open' }
    : { track: { phase: 'pending', since: from, blindSince: null } };
}

function advanceOpen(since: number | null, sure: Sure, now: number, times: Times): Step {
  if (sure === 'holds' || times.latched) return { track: { phase: 'open', since: null, blindSince: null } };
  const from = since ?? now;
  return now - from >= times.clearForMs
    ? { track: idle, event: 'clear' }
    : { track: { phase: 'open', since: from, blindSince: null } };
}
