import type { HistoryItem, LiveSample } from '@parkline/contract';
import type { TrendPoint } from '../ui/chart/scale.ts';

/** The last stretch of one point: its past from the history, its present from the stream. */
export class TrendBuffer {
  points = $state.raw<readonly TrendPoint[]>([]);
  readonly pointId: string;
  #keepMs: number;

  constructor(pointId: string, keepMs: number) {
    this.pointId = pointId;
    this.#keepMs = keepMs;
  }

  /** Puts the past before what the stream brought meanwhile. */
  fill(items: readonly HistoryItem[]): void {
    const past = items.map(({ at, value, quality, simulated, timeSuspect }): TrendPoint => ({
      at: Date.parse(at),
      value: quality === 'bad' ? null : value,
      ...(simulated && { simulated }),
      ...(timeSuspect && { timeSuspect }),
    }));
    const last = past.at(-1)?.at ?? 0;
    this.points = [...past, ...this.points.filter(({ at }) => at > last)];
  }

  add({ pointId, at, value, quality }: LiveSample): void {
    const ms = at ? Date.parse(at) : 0;
    // A gateway that catches up sends old samples again; the past belongs to the history.
    if (pointId !== this.pointId || ms <= (this.points.at(-1)?.at ?? 0)) return;
    const kept = this.points.filter((point) => point.at >= ms - this.#keepMs);
    this.points = [...kept, { at: ms, value: quality === 'bad' ? null : value }];
  }
}
