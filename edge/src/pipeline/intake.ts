import type { Sample } from '@parkline/kit';
import type { StampedSample } from './codec.ts';
import { isBoundary, plausible, type ReportRule, shouldReport } from './report.ts';
import type { Stamper } from './stamp.ts';

export interface IntakePoint {
  readonly pointId: string;
  readonly rule: ReportRule;
}

/** Between the readings and the batch: throws out what says nothing new, and gives the rest its final time. */
export interface Intake {
  accept(samples: readonly Sample[]): void;
  /** The last sample of this point (index in the table) did not get through: send the next reading in any case. */
  forget(point: number): void;
}

/** `points` in the order of the point table. */
export function createIntake(deps: {
  readonly points: readonly IntakePoint[];
  readonly stamper: Stamper;
  readonly add: (sample: StampedSample) => void;
}): Intake {
  const { points, stamper, add } = deps;
  const indexOf = new Map(points.map(({ pointId }, index) => [pointId, index]));
  const lastSent: (Sample | undefined)[] = points.map(() => undefined);

  function acceptOne(raw: Sample): void {
    const point = indexOf.get(raw.pointId);
    if (point === undefined)
      throw new Error(`driver answered for point ${raw.pointId}, which nobody asked for`);
    const { rule } = points[point]!;
    const sample = plausible(raw, rule.kind);
    if (!shouldReport(sample, lastSent[point], rule)) return;
    lastSent[point] = sample;
    const { value, quality } = sample;
    add({
      point,
      value,
      quality,
      boundary: isBoundary(sample, rule.kind),
      ...stamper.stamp(sample.pointId, sample.at),
    });
  }

  return {
    accept: (samples) => {
      samples.forEach(acceptOne);
    },
    forget(point) {
      lastSent[point] = undefined;
    },
  };
}
