import { type Grid, startOf } from './calendar.ts';
import { type Installation, type Reading, trackRegister } from './registers.ts';

/** What one register showed where an interval (or its own part of it) starts and ends, in counts as displayed. */
export interface Shown {
  readonly interval: number;
  /** Undefined where nothing was read at that boundary, or the reading was rejected. */
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
}

/** The displays of one installation over the intervals [first, last) of the grid, for a person who follows a bill. */
export function showRegister(
  installation: Installation,
  readings: readonly Reading[],
  grid: Grid,
  { first, last }: { readonly first: number; readonly last: number },
): Shown[] {
  const track = trackRegister(installation, readings, grid);
  if (!track.ok) return [];
  const counts = new Map(track.value.accepted.map(({ at, total }) => [at, total % installation.modulus]));
  const shown: Shown[] = [];
  for (let interval = first; interval < last; interval += 1) {
    const start = Math.max(startOf(grid, interval), installation.from);
    const end = Math.min(startOf(grid, interval + 1), installation.to ?? Infinity);
    if (start < end) shown.push({ interval, from: counts.get(start), to: counts.get(end) });
  }
  return shown;
}
