import { isDeepStrictEqual } from 'node:util';
import type { Clock } from './base/clock.ts';
import { type GatewayConfig, type PointConfig, pointsOf } from './config/schema.ts';
import { type Batcher, createBatcher } from './pipeline/batch.ts';
import { encodeTable } from './pipeline/codec.ts';
import type { GapLedger } from './pipeline/gaps.ts';
import { createIntake, type Intake } from './pipeline/intake.ts';
import type { Known } from './pipeline/order.ts';
import type { Outbox } from './pipeline/outbox.ts';
import type { Stamper } from './pipeline/stamp.ts';

export interface LineDeps {
  readonly outbox: Outbox;
  readonly gaps: GapLedger;
  readonly stamper: Stamper;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** A message waits in the outbox. */
  readonly onAppended: () => void;
  readonly clock: Clock;
}

/** Report by exception, stamp, batch: from a reading to a message on disk. */
export interface Line extends Pick<Intake, 'accept' | 'acceptPush' | 'acceptPast'> {
  /** Writes what is there. */
  flush(): void;
  /**
   * Goes over to the points of `config`: what was read of the old ones is written first, under the old table; what is known of
   * points that stay as they are is kept, so that nothing is sent twice. From then on only the new points are taken.
   */
  change(config: GatewayConfig): void;
}

interface Parts {
  readonly config: GatewayConfig;
  readonly intake: Intake;
  readonly batcher: Batcher;
}

export function createLine(first: GatewayConfig, deps: LineDeps): Line {
  let parts = makeParts(first, deps);
  return {
    accept(samples) {
      parts.intake.accept(samples);
    },
    acceptPush(sample) {
      parts.intake.acceptPush(sample);
    },
    acceptPast(samples) {
      parts.intake.acceptPast(samples);
    },
    flush() {
      parts.batcher.flush();
    },
    change(config) {
      parts.batcher.flush();
      parts = makeParts(config, deps, recaller(parts, config));
    },
  };
}

/** What `before` knew of the points that are the same in `config`. */
function recaller({ config: old, intake }: Parts, config: GatewayConfig) {
  const was = new Map(pointsOf(old).map((point) => [point.id, point]));
  const same = new Set(
    pointsOf(config)
      .filter((point) => isDeepStrictEqual(was.get(point.id), point))
      .map(({ id }) => id),
  );
  return (pointId: string): Known | undefined => (same.has(pointId) ? intake.recall(pointId) : undefined);
}

function makeParts(
  config: GatewayConfig,
  { outbox, gaps, stamper, sign, onAppended, clock }: LineDeps,
  recall?: (pointId: string) => Known | undefined,
): Parts {
  const points = pointsOf(config);
  const now = (): number => clock.now();
  const batcher = createBatcher({
    ...{ gatewayId: config.gatewayId, outbox, sign, now, gaps, onAppended },
    table: encodeTable(points.map(({ id, unit, kind, resolution }) => ({ id, unit, kind, resolution }))),
    kindOf: (point) => points[point]?.kind,
    thinToMs: config.outbox.thinToSeconds * 1_000,
    onRefused: ({ point }) => {
      intake.forget(point);
    },
  });
  const intake = createIntake({
    ...{ points: points.map((point) => intakePoint(point, config)), stamper, add: batcher.add, now },
    ...(recall && { recall }),
  });
  return { config, intake, batcher };
}

const intakePoint = (
  { id, kind, deadband, heartbeatMs, pollMs, history }: PointConfig,
  { report }: GatewayConfig,
) => ({
  pointId: id,
  hasHistory: history !== undefined,
  rule: { kind, deadband, heartbeatMs, pollMs, every: report.every },
});
