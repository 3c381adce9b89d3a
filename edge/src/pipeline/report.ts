import { MAX_EXACT_COUNT, type PointKind } from '@parkline/contract';
import type { Sample } from '@parkline/kit';
import { isOnBoundary } from './schedule.ts';

/** When a reading of a point is worth sending. */
export interface ReportRule {
  readonly kind: PointKind;
  /** Smallest change worth sending, in the point's own unit; 0 sends every change. */
  readonly deadband: number;
  /** Longest silence, ms. */
  readonly heartbeatMs: number;
  /** Time to the next reading, ms. */
  readonly pollMs: number;
  /** true: send every reading. */
  readonly every: boolean;
}

/** Decides whether `next` is worth sending, given the last one sent (undefined: none yet). Pure. */
export function shouldReport(next: Sample, last: Sample | undefined, rule: ReportRule): boolean {
  if (rule.every || last === undefined || next.quality !== last.quality) return true;
  if (isBoundary(next, rule.kind)) return true;
  if (isSilentTooLong(next.at - last.at, rule)) return true;
  if (next.value === null || last.value === null) return next.value !== last.value;
  if (rule.kind !== 'gauge') return next.value !== last.value;
  return next.value !== last.value && Math.abs(next.value - last.value) >= rule.deadband;
}

/** A register read close enough after a quarter hour to stand for it: billing cuts its intervals there. */
export const isBoundary = (sample: Sample, kind: PointKind): boolean =>
  kind === 'register' && isOnBoundary(sample.beganAt);

/** Speaks while there is still time: half a poll of slack for a late read. A clock set back breaks the silence too. */
const isSilentTooLong = (silentMs: number, { heartbeatMs, pollMs }: ReportRule): boolean =>
  silentMs < 0 || silentMs + 1.5 * pollMs > heartbeatMs;

/** A value that JSON or a double cannot carry is no value: it is reported bad, with the reason. */
export function plausible(sample: Sample, kind: PointKind): Sample {
  if (sample.value === null) return sample;
  if (!Number.isFinite(sample.value)) return { ...sample, value: null, quality: 'bad', why: 'not a number' };
  if (kind === 'register' && Math.abs(sample.value) > MAX_EXACT_COUNT) {
    return { ...sample, value: null, quality: 'bad', why: 'above 2^53' };
  }
  return sample;
}
