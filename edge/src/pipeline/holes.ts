import type { Sample } from '@parkline/kit';

/** Older history is not asked for, ms: no device that a gateway reads keeps more of it in the steps we want. */
const OLDEST_MS = 30 * 86_400_000;
/** Holes of one point that are kept apart; beyond that the two oldest become one. */
const MOST_HOLES = 20;

/** A time without values of a point, Unix ms: from included, to not. */
export interface Hole {
  readonly pointId: string;
  readonly from: number;
  readonly to: number;
}

/** What is remembered of a point over a restart. */
export interface PointMemory {
  /** Time of its last value, Unix ms. */
  readonly lastAt: number;
  /** Times that are still to be filled, oldest first. */
  readonly holes: readonly (readonly [from: number, to: number])[];
}

export type HoleMemory = Readonly<Record<string, PointMemory>>;

/** Knows since when each point is without values, and for which times its values are still wanted. No I/O. */
export interface HoleLedger {
  /** Hears of a reading. @returns whether it ended a hole: there is something to fill. */
  see(sample: Sample): boolean;
  /** Oldest holes first. */
  open(pointIds: readonly string[]): Hole[];
  /** A hole is filled up to here (Unix ms, not included); `to` or later is all of it. */
  filled(hole: Hole, upTo: number): void;
  /** From now on these points count: others are forgotten, and what is known of those that stay is kept. */
  watch(pointIds: readonly string[]): void;
  memory(): HoleMemory;
}

interface Entry {
  /** Time of the last value, Unix ms; undefined before the first one ever. */
  lastAt: number | undefined;
  isMissing: boolean;
  holes: Hole[];
}

/** @param memory What an earlier run knew: everything since then is a hole once the point has a value again. */
export function createHoleLedger(
  pointIds: readonly string[],
  memory: HoleMemory,
  now: () => number,
): HoleLedger {
  let entries = new Map(pointIds.map((pointId) => [pointId, entryFrom(pointId, memory)]));

  function present(pointId: string, entry: Entry, at: number): boolean {
    // After the clock was set back what was seen before says nothing about order.
    const lastAt = entry.lastAt !== undefined && entry.lastAt > now() ? undefined : entry.lastAt;
    const hasHole = entry.isMissing && lastAt !== undefined && at > lastAt + 1;
    if (hasHole) entry.holes.push({ pointId, from: Math.max(lastAt + 1, at - OLDEST_MS), to: at });
    if (entry.holes.length > MOST_HOLES) entry.holes = joined(entry.holes);
    entry.lastAt = Math.max(lastAt ?? at, at);
    entry.isMissing = false;
    return hasHole;
  }

  return {
    see({ pointId, at, quality }) {
      const entry = entries.get(pointId);
      if (!entry) return false;
      if (quality !== 'bad') return present(pointId, entry, Math.min(at, now()));
      entry.isMissing = true;
      return false;
    },
    open: (wanted) =>
      wanted.flatMap((pointId) => entries.get(pointId)?.holes ?? []).toSorted((a, b) => a.from - b.from),
    filled({ pointId, to }, upTo) {
      const entry = entries.get(pointId);
      if (!entry) return;
      entry.holes = entry.holes.flatMap((hole) => {
        if (hole.to !== to) return [hole];
        return upTo < to ? [{ ...hole, from: Math.max(hole.from, upTo) }] : [];
      });
    },
    watch(wanted) {
      entries = new Map(wanted.map((pointId) => [pointId, entries.get(pointId) ?? entryFrom(pointId, {})]));
    },
    memory: () =>
      Object.fromEntries(
        [...entries].flatMap(([pointId, { lastAt, holes }]) =>
          lastAt === undefined
            ? []
            : [[pointId, { lastAt, holes: holes.map(({ from, to }) => [from, to] as const) }]],
        ),
      ),
  };
}

function entryFrom(pointId: string, memory: HoleMemory): Entry {
  const known = Object.hasOwn(memory, pointId) ? memory[pointId] : undefined;
  const holes = (known?.holes ?? []).map(([from, to]) => ({ pointId, from, to }));
  return { lastAt: known?.lastAt, isMissing: known !== undefined, holes };
}

/** One wide hole instead of the two oldest: some of it is asked for twice, none of it is forgotten. */
function joined([first, second, ...rest]: readonly Hole[]): Hole[] {
  return first && second ? [{ ...second, from: first.from }, ...rest] : [];
}
