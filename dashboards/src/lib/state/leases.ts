import type { UsageItem, UsagePoint } from '@parkline/contract';
import { parseDay, startOfDay } from '../format/calendar.ts';

const instant = (date: string, timezone: string): number => {
  const day = parseDay(date);
  if (!day) throw new RangeError(`not a day: ${date}`);
  return startOfDay(day, timezone);
};

/**
 * Those of the intervals that a lease reaches into; `end` closes the last one. What lies outside is not missing: it was
 * somebody else's.
 */
export function heldIntervals(
  starts: readonly number[],
  end: number,
  leases: readonly Pick<UsagePoint, 'from' | 'to'>[],
  timezone: string,
): number[] {
  const spans = leases.map(({ from, to }) => ({
    from: instant(from, timezone),
    to: to === null ? Infinity : instant(to, timezone),
  }));
  return starts.filter((start, index) => {
    const until = starts[index + 1] ?? end;
    return spans.some((span) => span.from < until && span.to > start);
  });
}

/**
 * What was used in each of the intervals, which begin at `starts`. An interval that a lease cuts has several items, or one
 * that begins with the lease: together they are its use, unknown as soon as one of them is.
 */
export function toIntervals(
  items: readonly UsageItem[],
  starts: readonly number[],
): Pick<UsageItem, 'at' | 'value' | 'quality'>[] {
  const startOf = ({ at }: UsageItem) => starts.findLast((start) => start <= Date.parse(at));
  return [...Map.groupBy(items, startOf)].flatMap(([start, parts]) => {
    if (start === undefined) return [];
    const isKnown = parts.every(({ value }) => value !== null);
    return [
      {
        at: new Date(start).toISOString(),
        value: isKnown ? parts.reduce((sum, { value }) => sum + (value ?? 0), 0) : null,
        quality: parts.find(({ quality }) => quality !== 'good')?.quality ?? 'good',
      },
    ];
  });
}
