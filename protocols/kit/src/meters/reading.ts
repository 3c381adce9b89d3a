import { MAX_EXACT_COUNT } from '@parkline/contract/exact';
import type { PointRef, Sample } from '../driver.ts';
import { engineering, judge } from '../quality.ts';

/** A number out of a telegram, or why it is none. */
export type Raw =
  { readonly ok: true; readonly value: number } | { readonly ok: false; readonly why: string };

export interface Times {
  readonly beganAt: number;
  readonly at: number;
}

/** The sample of a point whose raw value the device told: engineering value, whole counts for a register. */
export function sampleOf(ref: PointRef, raw: Raw, times: Times): Sample {
  if (!raw.ok) return badSample(ref, raw.why, times);
  const verdict = judge(raw.value, ref.limits);
  if (verdict.quality !== 'good') return badSample(ref, verdict.why, times);
  const value = engineering(raw.value, ref);
  const shown = ref.kind === 'register' ? Math.round(value) : value;
  if (ref.kind === 'register' && Math.abs(shown) > MAX_EXACT_COUNT)
    return badSample(ref, 'above 2^53', times);
  return { pointId: ref.pointId, at: times.at, beganAt: times.beganAt, value: shown, quality: 'good' };
}

export const badSample = ({ pointId }: PointRef, why: string, { at, beganAt }: Times): Sample => ({
  ...{ pointId, at, beganAt },
  value: null,
  quality: 'bad',
  why,
});
