import type { Quality } from '@parkline/contract';
import { type Sample, scaled } from '@parkline/kit';
import type { BenchPoint } from './open.ts';

/** A sample as the bench prints it. */
export interface Reading {
  readonly name: string;
  readonly address: string;
  /** Engineering value; null when there is none. */
  readonly value: number | null;
  /** Empty where nobody said. */
  readonly unit: string;
  readonly quality: Quality;
  /** Why it is not good. */
  readonly why?: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export const readingOf = ({ name, unit, resolution, ref }: BenchPoint, sample: Sample): Reading => ({
  ...{ name, address: ref.address, unit: unit === '1' ? '' : unit },
  value: sample.value === null ? null : scaled(sample.value, resolution),
  quality: sample.quality,
  ...(sample.why !== undefined && { why: sample.why }),
  at: new Date(sample.at).toISOString(),
});

/** A missing value is a dash, never a zero. */
export const valueWords = ({ value, unit }: Pick<Reading, 'value' | 'unit'>): string =>
  value === null ? '—' : [String(value), unit].filter(Boolean).join(' ');
