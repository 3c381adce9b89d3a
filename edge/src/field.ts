import type { Logger } from 'pino';
import type { DeviceEvent, Sample } from '@parkline/kit';
import type { Clock, Wait } from './base/clock.ts';
import type { Failpoint } from './base/failpoint.ts';
import type { FaultLog } from './base/fault-log.ts';
import { openBuses } from './buses.ts';
import { type DeviceConfig, type GatewayConfig, type PointConfig, pointsOf } from './config/schema.ts';
import type { OpenDevice } from './devices.ts';
import type { DeviceBoard } from './health/devices.ts';
import type { FieldModule } from './host/remote.ts';
import { createLine, type Line } from './line.ts';
import { type Backfill, createBackfill } from './pipeline/backfill.ts';
import type { GapLedger } from './pipeline/gaps.ts';
import { createHolesFile } from './pipeline/holes-file.ts';
import type { Outbox } from './pipeline/outbox.ts';
import { runPoll } from './pipeline/poll.ts';
import type { Stamper } from './pipeline/stamp.ts';
import { canPush, runSubscribe } from './pipeline/subscribe.ts';
import { canTell, runWatchEvents } from './pipeline/watch-events.ts';
import { hasPriorities, type WriteTarget } from './writing/device-write.ts';

const FLUSH_MS = 1_000;

export interface FieldDeps {
  readonly config: GatewayConfig;
  readonly outbox: Outbox;
  readonly gaps: GapLedger;
  readonly board: DeviceBoard;
  readonly stamper: Stamper;
  /** Folder for what the drivers keep. */
  readonly dataDir: string;
  /** Rejects for a protocol nobody knows. */
  readonly loadDriver: (protocol: string) => Promise<FieldModule>;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** A message waits in the outbox. */
  readonly onAppended: () => void;
  /** Every reading of now, before it is decided whether it is sent: the local rules look at it. */
  readonly onReadings: (samples: readonly Sample[]) => void;
  /** What a device reports by itself. */
  readonly onDeviceEvent: (equipmentId: string, event: DeviceEvent) => void;
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
  /** Goes over to `config` while it runs: only the connections and devices that changed are closed and opened. */
  change(config: GatewayConfig): Promise<void>;
}

export async function createField(deps: FieldDeps): Promise<Field> {
  const { config, board, clock, wait, random, log } = deps;
  const now = (): number => clock.now();
  const line = createLine(config, deps);
  const backfill = await createBackfill(backfillDeps(deps, line));
  const buses = await openBuses(config.connections, {
    ...{ loadDriver: deps.loadDriver, now, log, dataDir: deps.dataDir, wait, random },
    work: worksOf(deps, line, backfill),
    onBroken(device, error) {
      board.broken(device.equipmentId, error);
      line.accept(unreadable(device, now()));
    },
  });
  async function runFlush(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await wait(FLUSH_MS, signal);
      line.flush();
    }
  }

  return {
    find: (pointId) => findTarget(buses.devices(), pointId),
    async run(signal) {
      try {
        await Promise.all([buses.run(signal), runFlush(signal), backfill.remember(signal)]);
      } finally {
        line.flush(); // The last samples may have come in after the last flush.
      }
    },
    change: (next) =>
      buses.change(next.connections, (kept) => {
        line.change(next);
        board.change(
          next.connections.flatMap(({ devices }) => devices),
          kept,
        );
        backfill.watch(withHistory(next));
      }),
  };
}

/** What there is to do for one device until `signal` aborts: poll it, and where it can push, listen too. */
function worksOf(deps: FieldDeps, line: Line, backfill: Backfill) {
  const { board, clock, wait, random, faults, failpoint, onReadings } = deps;
  const pollDeps = {
    ...{ clock, wait, failpoint },
    onSamples: (samples: readonly Sample[]) => {
      line.accept(samples);
      backfill.see(samples);
      onReadings(samples);
    },
    onOutcome: board.outcome,
  };
  const subscribeDeps = {
    ...{ clock, wait, random, faults },
    onSample: (sample: Sample) => {
      line.acceptPush(sample);
      backfill.see([sample]);
      onReadings([sample]);
    },
    onTold: board.told,
    onLost: board.lost,
  };
  const eventDeps = { clock, wait, random, faults, onEvent: deps.onDeviceEvent };
  return ({ config, driver }: OpenDevice, phase: number, signal: AbortSignal): Promise<void>[] => {
    const { equipmentId, name } = config;
    const points = config.points.map(refOf);
    return [
      runPoll({ equipmentId, driver, points, phase }, pollDeps, signal),
      backfill.fill({ equipmentId, name, driver, points }, signal),
      ...(canPush(driver)
        ? [runSubscribe({ equipmentId, name, driver, points }, subscribeDeps, signal)]
        : []),
      ...(canTell(driver) ? [runWatchEvents({ equipmentId, name, driver }, eventDeps, signal)] : []),
    ];
  };
}

/** What devices kept while nobody heard them goes the way of late samples, where there is room for it. */
function backfillDeps({ config, outbox, dataDir, ...deps }: FieldDeps, line: Line) {
  return {
    ...deps,
    pointIds: withHistory(config),
    file: createHolesFile(dataDir),
    onPast: line.acceptPast,
    hasRoom: () => outbox.room() === 'all',
  };
}

const withHistory = (config: GatewayConfig): string[] =>
  pointsOf(config)
    .filter(({ history }) => history !== undefined)
    .map(({ id }) => id);

/** The points of a device that cannot be read as configured: what they were before stands no more. */
function unreadable({ points }: DeviceConfig, at: number): Sample[] {
  const bad = { at, beganAt: at, value: null, quality: 'bad', why: 'config' } as const;
  return points.map(({ id }) => ({ pointId: id, ...bad }));
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
