import type { Sample } from '@parkline/kit';
import type { AlarmRule } from './schema.ts';

/** What is known of one alarm. Times on the monotonic clock, ms. */
export interface AlarmTrack {
  readonly isRaised: boolean;
  /** Since when the condition holds without a break; undefined while it does not. */
  readonly since: number | undefined;
  /** Of the last reading; null when there was none. */
  readonly value: number | null;
}

export const calm: AlarmTrack = { isRaised: false, since: undefined, value: null };

export interface Step {
  readonly track: AlarmTrack;
  readonly event?: 'raised' | 'cleared';
}

/** Takes a reading into account. A reading without a value says nothing of a limit: a raised alarm stays raised. Pure. */
export function takeReading(
  rule: AlarmRule,
  track: AlarmTrack,
  { value, quality }: Sample,
  now: number,
): Step {
  const shown = quality === 'bad' ? null : value;
  const holds = holdsFor(rule, shown, track.isRaised);
  if (holds === undefined) return { track: { ...track, since: track.isRaised ? track.since : undefined } };
  const since = holds ? (track.since ?? now) : undefined;
  const next = { ...track, since, value: shown };
  if (track.isRaised && !holds) return { track: { ...next, isRaised: false }, event: 'cleared' };
  return passTime(rule, next, now);
}

/** What the passing of time alone does: a condition that has held for long enough raises its alarm. Pure. */
export function passTime({ forS }: AlarmRule, track: AlarmTrack, now: number): Step {
  const isDue = !track.isRaised && track.since !== undefined && now - track.since >= forS * 1_000;
  return isDue ? { track: { ...track, isRaised: true }, event: 'raised' } : { track };
}

/** Undefined: nobody can tell. */
function holdsFor(
  { when, limit = 0, hysteresis }: AlarmRule,
  value: number | null,
  isRaised: boolean,
): boolean | undefined {
  if (when === 'missing') return value === null;
  if (value === null) return undefined;
  if (when === 'equals') return value === limit;
  const slack = isRaised ? hysteresis : 0;
  return when === 'above' ? value > limit - slack : value < limit + slack;
}
