import type { Sample } from '@parkline/kit';
import type { StampedSample } from './codec.ts';
import { type Known, placeOf, type Way } from './order.ts';
import { isBoundary, plausible, type ReportRule, shouldReport } from './report.ts';
import type { Stamp, Stamper } from './stamp.ts';

export interface IntakePoint {
  readonly pointId: string;
  readonly rule: ReportRule;
}

/** Between the readings and the batch: throws out what says nothing new, and gives the rest its final time. */
export interface Intake {
  /** What the device answered. */
  accept(samples: readonly Sample[]): void;
  /** What the device told of its own accord, as it arrives. */
  acceptPush(sample: Sample): void;
  /** The last sample of this point (index in the table) did not get through: send the next reading in any case. */
  forget(point: number): void;
}

interface IntakeDeps {
  readonly points: readonly IntakePoint[];
  readonly stamper: Stamper;
  readonly add: (sample: StampedSample) => void;
  /** Unix ms. */
  readonly now: () => number;
}

const unseen: Known = { sent: undefined, pushed: undefined, pushedAt: -Infinity };

/** `points` in the order of the point table. */
export function createIntake({ points, stamper, add, now }: IntakeDeps): Intake {
  const indexOf = new Map(points.map(({ pointId }, index) => [pointId, index]));
  const known: Known[] = points.map(() => unseen);

  function acceptOne(raw: Sample, way: Way): void {
    const point = indexOf.get(raw.pointId);
    if (point === undefined)
      throw new Error(`driver answered for point ${raw.pointId}, which nobody asked for`);
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

  function send(point: number, sample: Sample, { kind }: ReportRule, stamp: Stamp): void {
    const { value, quality } = sample;
    add({ point, value, quality, boundary: isBoundary(sample, kind), ...stamp });
  }

  return {
    accept(samples) {
      for (const sample of samples) acceptOne(sample, 'poll');
    },
    acceptPush(sample) {
      acceptOne(sample, 'push');
    },
    forget(point) {
      known[point] = { ...known[point]!, sent: undefined };
    },
  };
}
