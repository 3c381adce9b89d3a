import type { Logger } from 'pino';
import type { DriverModule } from '@parkline/kit';
import type { Clock, Wait } from './base/clock.ts';
import type { Failpoint } from './base/failpoint.ts';
import type { GatewayConfig, PointConfig } from './config/schema.ts';
import { openDevices } from './devices.ts';
import type { DeviceBoard } from './health/devices.ts';
import { type Batcher, createBatcher } from './pipeline/batch.ts';
import { encodeTable } from './pipeline/codec.ts';
import type { GapLedger } from './pipeline/gaps.ts';
import { createIntake, type Intake } from './pipeline/intake.ts';
import type { Outbox } from './pipeline/outbox.ts';
import { runPoll } from './pipeline/poll.ts';
import { createStamper } from './pipeline/stamp.ts';

const FLUSH_MS = 1_000;

export interface FieldDeps {
  readonly config: GatewayConfig;
  readonly outbox: Outbox;
  readonly gaps: GapLedger;
  readonly board: DeviceBoard;
  /** Folder for what the drivers keep. */
  readonly dataDir: string;
  /** Rejects for a protocol nobody knows. */
  readonly loadDriver: (protocol: string) => Promise<DriverModule>;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** A message waits in the outbox. */
  readonly onAppended: () => void;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly log: Logger;
  readonly failpoint: Failpoint;
}

/** The way from the devices to the outbox. It knows nothing of the cloud, so no cloud can stop it. */
export interface Field {
  /** Reads until `signal` aborts. When it resolves, everything read is in the outbox and the devices are let go. */
  run(signal: AbortSignal): Promise<void>;
}

export async function createField(deps: FieldDeps): Promise<Field> {
  const { config, board, clock, wait, log } = deps;
  const { intake, batcher } = createIntakeLine(deps);
  const { devices, broken, close } = await openDevices(config, {
    loadDriver: deps.loadDriver,
    now: () => clock.now(),
    log,
    dataDir: deps.dataDir,
  });
  for (const { equipmentId, error } of broken) board.broken(equipmentId, error);

  const pollDeps = {
    clock,
    wait,
    onSamples: intake.accept,
    onOutcome: board.outcome,
    failpoint: deps.failpoint,
  };
  async function runFlush(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await wait(FLUSH_MS, signal);
      batcher.flush();
    }
  }

  return {
    async run(signal) {
      const polls = devices.map(({ config: { equipmentId, points }, driver }, index) =>
        runPoll(
          { equipmentId, driver, points: points.map(refOf), phase: index / devices.length },
          pollDeps,
          signal,
        ),
      );
      try {
        await Promise.all([...polls, runFlush(signal)]);
        batcher.flush(); // The last reads may have come in after the last flush.
      } finally {
        await close();
      }
    },
  };
}

/** Report by exception, stamp, batch: from a reading to a message on disk. */
function createIntakeLine(deps: FieldDeps): { intake: Intake; batcher: Batcher } {
  const { config, outbox, gaps, sign, clock } = deps;
  const points = config.connections.flatMap(({ devices }) => devices.flatMap((device) => device.points));
  const batcher = createBatcher({
    gatewayId: config.gatewayId,
    outbox,
    table: encodeTable(points.map(({ id, unit, kind, resolution }) => ({ id, unit, kind, resolution }))),
    isRegister: (point) => points[point]?.kind === 'register',
    sign,
    now: () => clock.now(),
    gaps,
    onAppended: deps.onAppended,
    onRefused: ({ point }) => {
      intake.forget(point);
    },
  });
  const intake = createIntake({
    points: points.map(({ id, kind, deadband, heartbeatMs, pollMs }) => ({
      pointId: id,
      rule: { kind, deadband, heartbeatMs, pollMs, every: config.report.every },
    })),
    stamper: createStamper(clock),
    add: batcher.add,
  });
  return { intake, batcher };
}

const refOf = ({ id, address, scale, kind, pollMs }: PointConfig) => ({
  pointId: id,
  address,
  scale,
  kind,
  pollMs,
});
