import { type Driver, DriverError, type PointRef, type Sample } from '@parkline/kit';
import type { Clock, Wait } from '../base/clock.ts';
import type { FaultLog } from '../base/fault-log.ts';

/** Pause before a subscription that ended is asked for again, ms; doubles up to the most while it does not last. */
const FIRST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 60_000;
/** A subscription that held for so long worked: its device comes and goes, and must not be waited for, ms. */
const HELD_MS = 10_000;
/** A driver that ignores its signal is left behind after this time, so that the last batch still reaches the disk, ms. */
const END_LIMIT_MS = 1_000;

/** A driver that can push. */
export type PushingDriver = Driver & Required<Pick<Driver, 'subscribe'>>;

export const canPush = (driver: Driver): driver is PushingDriver => driver.subscribe !== undefined;

export interface SubscribedDevice {
  readonly equipmentId: string;
  readonly name: string;
  readonly driver: PushingDriver;
  readonly points: readonly PointRef[];
}

export interface SubscribeDeps {
  readonly clock: Clock;
  readonly wait: Wait;
  /** In [0, 1): spreads the retries of many devices. */
  readonly random: () => number;
  readonly onSample: (sample: Sample) => void;
  /** The device told something: it is alive. */
  readonly onTold: (equipmentId: string) => void;
  /** The driver knows that the device is gone; it need not be asked twice. */
  readonly onLost: (equipmentId: string, error: unknown) => void;
  readonly faults: FaultLog;
}

/**
 * Keeps one device subscribed until `signal` aborts; it is polled all the same. A subscription that ends is asked for again
 * with growing pauses, and what it brings after its end counts no more. Rejects only with what `onSample` throws.
 */
export async function runSubscribe(
  device: SubscribedDevice,
  deps: SubscribeDeps,
  signal: AbortSignal,
): Promise<void> {
  if (device.points.length === 0) return;
  let failures = 0;
  while (!signal.aborted) {
    const beganAt = deps.clock.monotonic();
    const error = await subscribeOnce(device, deps, signal);
    if (signal.aborted) return;
    report(device, deps, error);
    if (deps.clock.monotonic() - beganAt >= HELD_MS) failures = 0;
    const pause = Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
    failures += 1;
    await deps.wait(pause * (0.75 + deps.random() / 2), signal);
  }
}

/** @returns why the subscription ended. Rejects with what `onSample` throws. */
async function subscribeOnce(
  { equipmentId, name, driver, points }: SubscribedDevice,
  { wait, onSample, onTold, faults }: SubscribeDeps,
  signal: AbortSignal,
): Promise<unknown> {
  const asked = new Set(points.map(({ pointId }) => pointId));
  const ended = new AbortController();
  const end = AbortSignal.any([signal, ended.signal]);
  let broke: { readonly error: unknown } | undefined;

  /** Runs inside the driver's library, which must not see our failures: they end the gateway in order, not in a crash. */
  function take(sample: Sample): void {
    if (end.aborted) return;
    if (!asked.has(sample.pointId)) {
      faults.fault(`push ${equipmentId}`, 'driver pushed a point nobody asked for', { device: name });
      return;
    }
    try {
      onSample(sample);
      onTold(equipmentId);
      faults.over(`subscription ${equipmentId}`, 'device pushes again', { device: name });
    } catch (error) {
      broke = { error };
      ended.abort();
    }
  }

  const error = await Promise.race([outcomeOf(driver, points, take, end), leftBehind(wait, end)]);
  ended.abort();
  if (broke) throw broke.error;
  return error;
}

/** Why a subscription ended, a bug in the driver included. */
async function outcomeOf(
  driver: PushingDriver,
  points: readonly PointRef[],
  take: (sample: Sample) => void,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    await driver.subscribe(points, take, signal);
    return new DriverError('garbage', 'the driver ended a subscription that nobody ended', 'subscription');
  } catch (error) {
    return error;
  }
}

/** Resolves some time after `signal` aborted. */
function leftBehind(wait: Wait, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    const onAbort = (): void => void wait(END_LIMIT_MS, new AbortController().signal).then(resolve);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Where the driver knows the device is gone its points are bad at once; in any other case the polls tell how it is. */
function report({ equipmentId, name, points }: SubscribedDevice, deps: SubscribeDeps, error: unknown): void {
  deps.faults.fault(`subscription ${equipmentId}`, 'device does not push', {
    ...{ equipmentId, device: name },
    err: error,
  });
  if (!(error instanceof DriverError) || error.code !== 'lost') return;
  const at = deps.clock.now();
  for (const { pointId } of points)
    deps.onSample({ pointId, at, beganAt: at, value: null, quality: 'bad', why: 'lost' });
  deps.onLost(equipmentId, error);
}
