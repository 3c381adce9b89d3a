import { type Driver, DriverError, type PointRef, type Sample } from '@parkline/kit';
import type { Clock, Wait } from '../base/clock.ts';
import type { Failpoint } from '../base/failpoint.ts';
import { within } from '../base/within.ts';
import { isOnBoundary, nextTick, quarterAfter } from './schedule.ts';

/** A driver that has not answered by then is told to give up, ms. Far above any driver's own time-out. */
const READ_LIMIT_MS = 30_000;
/** First readings come within this time of the start, spread over the devices, ms. */
const START_SPREAD_MS = 1_000;
/** Longest sleep, ms: a clock that was set must not cost a quarter hour. */
const MAX_SLEEP_MS = 5_000;
/** Pause before a failed boundary reading is tried again, ms. */
const BOUNDARY_RETRY_MS = 2_000;
/** Pause before a failed first reading is tried again, ms; doubles up to the group's own beat. */
const FIRST_RETRY_MS = 2_000;

export interface PolledPoint extends PointRef {
  readonly pollMs: number;
}

export interface PolledDevice {
  readonly equipmentId: string;
  readonly driver: Driver;
  readonly points: readonly PolledPoint[];
  /** 0 <= phase < 1: this device's share of each period, so that a thousand devices do not ask at once. */
  readonly phase: number;
}

export interface PollDeps {
  readonly clock: Clock;
  readonly wait: Wait;
  readonly onSamples: (samples: readonly Sample[]) => void;
  /** The outcome of each read begun at Unix ms `beganAt`: undefined when the device answered, else why not. */
  readonly onOutcome: (equipmentId: string, error: unknown, beganAt: number) => void;
  readonly failpoint: Failpoint;
}

/** Points of one device that are read together. */
interface Group {
  readonly pollMs: number;
  readonly refs: readonly PointRef[];
  /** Anchor of the ticks and the next one, on the monotonic clock. */
  readonly origin: number;
  dueAt: number;
  /** Pause before the next try while there has been no reading yet, ms; undefined when there was one. */
  firstRetryMs: number | undefined;
}

/**
 * Reads one device until `signal` aborts: each group on its own drift-free beat, registers once more at every UTC quarter
 * hour. One read at a time; ticks that pass meanwhile are skipped, so a slow device never piles up work.
 */
export async function runPoll(device: PolledDevice, deps: PollDeps, signal: AbortSignal): Promise<void> {
  const { clock, wait } = deps;
  const groups = groupByPeriod(device, clock.monotonic());
  const boundary = createBoundary(
    device.points.filter(({ kind }) => kind === 'register'),
    clock,
  );
  while (!signal.aborted) {
    const atBoundary = boundary.due();
    const due = groups.filter(({ dueAt }) => dueAt <= clock.monotonic());
    if (atBoundary) {
      boundary.tried(await readOnce(device, atBoundary, deps, signal));
    } else if (due.length > 0) {
      const refs = due.flatMap((group) => group.refs);
      const isDone = await readOnce(device, refs, deps, signal);
      for (const group of due) schedule(group, isDone, clock.monotonic());
    } else {
      const nextDue = Math.min(...groups.map(({ dueAt }) => dueAt)) - clock.monotonic();
      await wait(Math.min(nextDue, boundary.inMs(), MAX_SLEEP_MS), signal);
    }
  }
}

function groupByPeriod({ points, phase }: PolledDevice, start: number): Group[] {
  return [...new Set(points.map(({ pollMs }) => pollMs))].map((pollMs) => ({
    pollMs,
    refs: points.filter((point) => point.pollMs === pollMs),
    origin: start + phase * pollMs,
    // The first reading does not wait for its beat: after a restart every second without values is a hole.
    dueAt: start + phase * Math.min(pollMs, START_SPREAD_MS),
    firstRetryMs: FIRST_RETRY_MS,
  }));
}

/** A device that was slow to come up should not stay without values for a whole beat. */
function schedule(group: Group, isDone: boolean, now: number): void {
  group.dueAt = nextTick(group.origin, group.pollMs, now);
  if (isDone) group.firstRetryMs = undefined;
  if (group.firstRetryMs === undefined) return;
  group.dueAt = Math.min(group.dueAt, now + group.firstRetryMs);
  group.firstRetryMs *= 2;
}

/** Watches the wall clock for quarter hours. */
function createBoundary(refs: readonly PointRef[], clock: Clock) {
  let quarter = quarterAfter(clock.now());
  let notBefore = -Infinity; // On the monotonic clock.
  return {
    /** The registers to read now, if a quarter hour asks for them. */
    due(): readonly PointRef[] | undefined {
      const now = clock.now();
      if (now < quarter) {
        quarter = quarterAfter(now); // The same one again, or an earlier one after the clock was set back.
        return undefined;
      }
      if (refs.length === 0 || now - quarter >= 900_000 || !isOnBoundary(now)) {
        quarter = quarterAfter(now); // Too late to stand for it: billing interpolates.
        return undefined;
      }
      return clock.monotonic() >= notBefore ? refs : undefined;
    },
    tried(isDone: boolean): void {
      if (isDone) quarter = quarterAfter(Math.max(clock.now(), quarter));
      else notBefore = clock.monotonic() + BOUNDARY_RETRY_MS;
    },
    inMs: (): number => (clock.now() < quarter ? quarter - clock.now() : notBefore - clock.monotonic()),
  };
}

/** @returns whether the device answered. A silent device is data, and so is a driver's bug: only `onSamples` may reject this. */
async function readOnce(
  device: PolledDevice,
  refs: readonly PointRef[],
  deps: PollDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const beganAt = deps.clock.now();
  let samples: readonly Sample[];
  let failure: unknown;
  try {
    samples = await within(READ_LIMIT_MS, deps.wait, signal, (limited) => device.driver.read(refs, limited));
    assertAnswers(samples, refs, device.equipmentId);
  } catch (error) {
    if (signal.aborted) return false;
    failure = error;
    const at = deps.clock.now();
    const why = error instanceof DriverError ? error.code : 'internal';
    samples = refs.map(({ pointId }) => ({ pointId, at, beganAt, value: null, quality: 'bad', why }));
  }
  deps.failpoint('after-poll');
  deps.onSamples(samples);
  deps.onOutcome(device.equipmentId, failure, beganAt);
  return failure === undefined;
}

/** A value filed under the wrong point is worse than none. */
function assertAnswers(samples: readonly Sample[], refs: readonly PointRef[], where: string): void {
  if (samples.length === refs.length && samples.every(({ pointId }, i) => pointId === refs[i]?.pointId))
    return;
  throw new DriverError('garbage', 'the driver answered for other points than it was asked for', where);
}
