import type { HistoryItem } from '@parkline/contract';

/** One interval of a history as a bar. */
export interface Bar {
  /** Start of the interval, Unix ms. */
  readonly at: number;
  /** null: not known, never zero. */
  readonly value: number | null;
  /** `missing` is over and unknown; `running` has begun; `future` has not. */
  readonly state: 'whole' | 'running' | 'missing' | 'future';
  readonly simulated: boolean;
  readonly uncertain: boolean;
}

/** A bar for every interval of a period, also where the server knows nothing. `end` closes the last one. */
export function toBars(
  starts: readonly number[],
  end: number,
  items: readonly Pick<HistoryItem, 'at' | 'value' | 'quality' | 'simulated'>[],
  now: number,
): Bar[] {
  const known = new Map(items.map((item) => [Date.parse(item.at), item]));
  return starts.map((at, index) => {
    const item = known.get(at);
    const value = item?.value ?? null;
    const isOver = (starts[index + 1] ?? end) <= now;
    const state = at > now ? 'future' : !isOver ? 'running' : value === null ? 'missing' : 'whole';
    return {
      at,
      value,
      state,
      simulated: item?.simulated === true,
      uncertain: item?.quality === 'uncertain',
    };
  });
}

/** What is known together, and how many finished intervals are not: a sum with holes must say so. */
export function totalOf(bars: readonly Bar[]): { sum: number | null; known: number; missing: number } {
  const values = bars.flatMap(({ value }) => (value === null ? [] : [value]));
  return {
    sum: values.length > 0 ? values.reduce((sum, value) => sum + value, 0) : null,
    known: values.length,
    missing: bars.filter(({ state }) => state === 'missing').length,
  };
}
