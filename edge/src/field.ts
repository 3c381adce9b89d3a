import type { Logger } from 'pino';
import type { DriverModule, Sample } from '@parkline/kit';
import type { Clock, Wait } from './base/clock.ts';
import type { Failpoint } from './base/failpoint.ts';
import type { FaultLog } from './base/fault-log.ts';
import type { GatewayConfig, PointConfig } from './config/schema.ts';
import { type OpenDevice, openDevices } from './devices.ts';
import type { DeviceBoard } from './health/devices.ts';
import { type Backfill, createBackfill } from './pipeline/backfill.ts';
import { type Batcher, createBatcher } from './pipeline/batch.ts';
import { encodeTable } from './pipeline/codec.ts';
import type { GapLedger } from './pipeline/gaps.ts';
import { createHolesFile } from './pipeline/holes-file.ts';
import { createIntake, type Intake } from './pipeline/intake.ts';
import type { Outbox } from './pipeline/outbox.ts';
import { runPoll } from './pipeline/poll.ts';
import { canPush, runSubscribe } from './pipeline/subscribe.ts';
import { createStamper } from './pipeline/stamp.ts';
import { hasPriorities, type WriteTarget } from './writing/device-write.ts';

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
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  readonly faults: FaultLog;
  readonly failpoint: Failpoint;
}

/** The way from the devices to the outbox. It knows nothing of the cloud, so no cloud can stop it. */
export interface Field {
  /** What a command may want to write; undefined: no such point here. */
  find(pointId: string): WriteTarget | undefined;
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
  for (const { equipmentId, error } of broken) {
    board.broken(equipmentId, error);
    intake.accept(unreadable(config, equipmentId, clock.now()));
  }

  const backfill = await createBackfill(backfillDeps(deps, intake));
  const work = worksOf(deps, intake, backfill);
  async function runFlush(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await wait(FLUSH_MS, signal);
      batcher.flush();
    }
  }

  return {
    find: (pointId) => findTarget(devices, pointId),
    async run(signal) {
      const works = devices.flatMap((device, index) => work(device, index / devices.length, signal));
      try {
        await Promise.all([...works, runFlush(signal), backfill.remember(signal)]);
      } finally {
        await close();
        batcher.flush(); // The last samples may have come in after the last flush.
      }
    },
  };
}

/** What there is to do for one device until `signal` aborts: poll it, and where it can push, listen too. */
function worksOf(deps: FieldDeps, intake: Intake, backfill: Backfill) {
  const { board, clock, wait, random, faults, failpoint } = deps;
  const pollDeps = {
    ...{ clock, wait, failpoint },
    onSamples: (samples: readonly Sample[]) => {
      intake.accept(samples);
      backfill.see(samples);
    },
    onOutcome: board.outcome,
  };
  const subscribeDeps = {
    ...{ clock, wait, random, faults },
    onSample: (sample: Sample) => {
      intake.acceptPush(sample);
      backfill.see([sample]);
    },
    onTold: board.told,
    onLost: board.lost,
  };
  return ({ config, driver }: OpenDevice, phase: number, signal: AbortSignal): Promise<void>[] => {
    const { equipmentId, name } = config;
    const points = config.points.map(refOf);
    const poll = runPoll({ equipmentId, driver, points, phase }, pollDeps, signal);
    const fill = backfill.fill({ equipmentId, name, driver, points }, signal);
    if (!canPush(driver)) return [poll, fill];
    return [poll, fill, runSubscribe({ equipmentId, name, driver, points }, subscribeDeps, signal)];
  };
}

/** What devices kept while nobody heard them goes the way of late samples, where there is room for it. */
function backfillDeps({ config, outbox, dataDir, ...deps }: FieldDeps, intake: Intake) {
  const points = config.connections.flatMap(({ devices }) => devices.flatMap((device) => device.points));
  return {
    ...deps,
    pointIds: points.filter(({ history }) => history !== undefined).map(({ id }) => id),
    file: createHolesFile(dataDir),
    onPast: intake.acceptPast,
    hasRoom: () => outbox.room() === 'all',
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
    kindOf: (point) => points[point]?.kind,
    thinToMs: config.outbox.thinToSeconds * 1_000,
    sign,
    now: () => clock.now(),
    gaps,
    onAppended: deps.onAppended,
    onRefused: ({ point }) => {
      intake.forget(point);
    },
  });
  const intake = createIntake({
    points: points.map(({ id, kind, deadband, heartbeatMs, pollMs, history }) => ({
      pointId: id,
      hasHistory: history !== undefined,
      rule: { kind, deadband, heartbeatMs, pollMs, every: config.report.every },
    })),
    stamper: createStamper(clock),
    add: batcher.add,
    now: () => clock.now(),
  });
  return { intake, batcher };
}

/** The points of a device that cannot be read as configured: what they were before stands no more. */
function unreadable({ connections }: GatewayConfig, equipmentId: string, at: number): Sample[] {
  const device = connections.flatMap(({ devices }) => devices).find((one) => one.equipmentId === equipmentId);
  const bad = { at, beganAt: at, value: null, quality: 'bad', why: 'config' } as const;
  return (device?.points ?? []).map(({ id }) => ({ pointId: id, ...bad }));
}

function findTarget(devices: readonly OpenDevice[], pointId: string): WriteTarget | undefined {
  for (const { config, driver, protocol } of devices) {
    const point = config.points.find(({ id }) => id === pointId);
    if (!point) continue;
    const { kind, unit, write } = point;
    return {
      ...{ equipmentId: config.equipmentId, driver, ref: refOf(point) },
      point: { kind, unit, ...(write && { write }) },
      hasPriorities: hasPriorities(protocol),
    };
  }
  return undefined;
}

const refOf = ({ id, address, scale, kind, pollMs, offset, history, limits }: PointConfig) => ({
  pointId: id,
  address,
  scale,
  kind,
  pollMs,
  ...(offset !== undefined && { offset }),
  ...(history !== undefined && { history }),
  ...(limits && { limits }),
});
