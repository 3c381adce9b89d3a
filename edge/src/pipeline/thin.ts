import type { PointKind } from '@parkline/contract';
import type { StampedSample } from './codec.ts';
import type { Room } from './outbox.ts';

export interface Thinning {
  /** Whether a sample is kept in a room of this size. To be asked once for each sample, in order. */
  keeps(sample: StampedSample, room: Room): boolean;
}

/**
 * What is let go first when the disk fills: comfort before events, events before money. Of each gauge one reading in `thinToMs`
 * stays, and every turn from good to bad and back.
 */
export function createThinning({
  kindOf,
  thinToMs,
}: {
  readonly kindOf: (point: number) => PointKind | undefined;
  readonly thinToMs: number;
}): Thinning {
  const last = new Map<number, StampedSample>();

  function isDue(sample: StampedSample): boolean {
    const before = last.get(sample.point);
    if (before && before.quality === sample.quality && Math.abs(sample.at - before.at) < thinToMs)
      return false;
    last.set(sample.point, sample);
    return true;
  }

  return {
    keeps(sample, room) {
      if (room === 'all') {
        last.clear();
        return true;
      }
      const kind = kindOf(sample.point);
      if (room === 'none') return false;
      if (room === 'registers') return kind === 'register';
      return kind !== 'gauge' || isDue(sample);
    },
  };
}
