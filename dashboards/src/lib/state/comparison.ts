import type { UsageSum } from '@parkline/contract';

/** How this month stands against the same days of the last one. */
export type Comparison =
  | { readonly kind: 'nothing_held' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'same' }
  /** Whole percent, above zero. */
  | { readonly kind: 'more' | 'less'; readonly percent: number };

/** Less than this is nothing to speak of, %. */
const same = 1;

/** Compares the use. A month without any use has no percentage. */
export function compareUse(use: number | null, lastMonth: UsageSum | null): Comparison {
  if (!lastMonth) return { kind: 'nothing_held' };
  if (use === null || lastMonth.use === null || lastMonth.use === 0) return { kind: 'unknown' };
  const percent = Math.round((use / lastMonth.use - 1) * 100);
  if (Math.abs(percent) < same) return { kind: 'same' };
  return { kind: percent > 0 ? 'more' : 'less', percent: Math.abs(percent) };
}
