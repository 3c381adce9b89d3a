import type { Sample } from '@parkline/kit';
import type { StampedSample } from './codec.ts';
import { type Known, placeOf, type Way } from './order.ts';
import { isBoundary, plausible, type ReportRule, shouldReport } from './report.ts';
import type { Stamp, Stamper } from './stamp.ts';

export interface IntakePoint {
  readonly pointId: string;
  readonly rule: ReportRule;
  /** Its device keeps what it measured: what is missing may come later. */
  readonly hasHistory?: boolean;
}

/** Between the readings and the batch: throws out what says nothing new, and gives the rest its final time. */
export interface Intake {
  /** What the device answered. */
  accept(samples: readonly Sample[]): void;
  /** What the device told of its own accord, as it arrives. */
  acceptPush(sample: Sample): void;
  /** What the device kept of the past, oldest first for each point: it changes no state. */
  acceptPast(samples: readonly Sample[]): void;
  /** The last sample of this point (index in the table) did not get through: send the next reading in any case. */
  forget(point: number): void;
  /** What is known of a point, for the intake that follows when the configuration changes. */
  recall(pointId: string): Known | undefined;
}

interface IntakeDeps {
  readonly points: readonly IntakePoint[];
  readonly stamper: Stamper;
  readonly add: (sample: StampedSample) => void;
  /** Unix ms. */
  readonly now: () => number;
  /** What an earlier intake knew of a point that is the same now; nothing when absent. */
  readonly recall?: (pointId: string) => Known | undefined;
}

/** Bad samples of one point whose times are remembered, so that what the device kept does not fall on them: a day of heartbeats. */
const MOST_BAD = 300;

const unseen: Known = { sent: undefined, pushed: undefined, pushedAt: -Infinity };

/** `points` in the order of the point table. */
export function createIntake({ points, stamper, add, now, recall }: IntakeDeps): Intake {
  const indexOf = new Map(points.map(({ pointId }, index) => [pointId, index]));
  const known: Known[] = points.map(({ pointId }) => recall?.(pointId) ?? unseen);
  const past = new Map<number, Sample>(); // The last one filed of each point.
  const bad = new Map<number, Set<number>>(); // Times of the last bad samples of points with a history.

  function pointOf({ pointId }: Sample): number {
    const point = indexOf.get(pointId);
    if (point !== undefined) return point;
    throw new Error(`driver answered for point ${pointId}, which nobody asked for`);
  }

  function acceptOne(raw: Sample, way: Way): void {
    const point = pointOf(raw);
    const { rule } = points[point]!;
    const before = known[point]!;
    const arrivedAt = now();
    const sample = plausible(raw, rule.kind);
    const place = placeOf(sample, way, before, arrivedAt);
    if (way === 'push') known[point] = { ...before, pushed: sample, pushedAt: arrivedAt };
    if (place.as === 'repeat') return;
    const placed = { ...sample, at: place.at, beganAt: Math.min(sample.beganAt, place.at) };
    if (place.as === 'late') {
      // It changes no state. An overtaken poll repeats what was true before the push; a late push is history of its own.
      if (way === 'push' || rule.every)
        send(point, placed, rule, stamper.stampLate(placed.pointId, placed.at));
      return;
    }
    if (!shouldReport(placed, before.sent, rule)) return;
    known[point] = { ...known[point]!, sent: placed };
    send(point, placed, rule, stamper.stamp(placed.pointId, placed.at));
  }

  function acceptPast(raw: Sample): void {
    const point = pointOf(raw);
    const { rule } = points[point]!;
    const sample = plausible(raw, rule.kind);
    if (!shouldReport(sample, past.get(point), rule)) return;
    past.set(point, sample);
    // Storage knows a sample by its millisecond: a good one must not fall on the bad one that stood in for it.
    const at = bad.get(point)?.has(sample.at) ? sample.at + 1 : sample.at;
    send(point, sample, rule, stamper.stampLate(sample.pointId, at));
  }

  function rememberBad(point: number, at: number): void {
    const times = bad.get(point) ?? new Set();
    bad.set(point, times.add(at));
    const [oldest] = times;
    if (times.size > MOST_BAD) times.delete(oldest!);
  }

  function send(point: number, sample: Sample, { kind }: ReportRule, stamp: Stamp): void {
    const { value, quality } = sample;
    if (quality === 'bad' && points[point]!.hasHistory) rememberBad(point, stamp.at);
    add({ point, value, quality, boundary: isBoundary(sample, kind), ...stamp });
  }

  return {
    accept(samples) {
      for (const sample of samples) acceptOne(sample, 'poll');
    },
    acceptPush(sample) {
      acceptOne(sample, 'push');
    },
    acceptPast(samples) {
      for (const sample of samples) acceptPast(sample);
    },
    forget(point) {
      known[point] = { ...known[point]!, sent: undefined };
    },
    recall(pointId) {
      const point = indexOf.get(pointId);
      return point === undefined ? undefined : known[point];
    },
  };
}
