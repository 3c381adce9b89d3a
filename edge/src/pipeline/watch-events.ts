import type { DeviceEvent, Driver } from '@parkline/kit';
import type { Clock, Wait } from '../base/clock.ts';
import type { FaultLog } from '../base/fault-log.ts';

/** Pause before a watch that ended is asked for again, ms; doubles up to the most while it does not last. */
const FIRST_RETRY_MS = 5_000;
const MOST_RETRY_MS = 300_000;
/** A watch that held for so long worked, ms. */
const HELD_MS = 60_000;
/** A driver that ignores its signal is left behind after this time, ms. */
const END_LIMIT_MS = 1_000;

/** A driver that tells what its device reports. */
export type TellingDriver = Driver & Required<Pick<Driver, 'watchEvents'>>;

export const canTell = (driver: Driver): driver is TellingDriver => driver.watchEvents !== undefined;

export interface WatchedDevice {
  readonly equipmentId: string;
  readonly name: string;
  readonly driver: TellingDriver;
}

export interface WatchEventsDeps {
  readonly clock: Clock;
  readonly wait: Wait;
  /** In [0, 1): spreads the retries of many devices. */
  readonly random: () => number;
  readonly onEvent: (equipmentId: string, event: DeviceEvent) => void;
  readonly faults: FaultLog;
}

/**
 * Listens to what one device reports by itself until `signal` aborts; a watch that ends is asked for again. Rejects only with
 * what `onEvent` throws.
 */
export async function runWatchEvents(
  { equipmentId, name, driver }: WatchedDevice,
  { clock, wait, random, onEvent, faults }: WatchEventsDeps,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const beganAt = clock.monotonic();
    const error = await watchOnce(driver, wait, signal, (event) => {
      onEvent(equipmentId, event);
    });
    if (signal.aborted) return;
    faults.fault(`events ${equipmentId}`, 'device does not report its events', {
      ...{ equipmentId, device: name, err: error },
    });
    if (clock.monotonic() - beganAt >= HELD_MS) failures = 0;
    const pause = Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
    failures += 1;
    await wait(pause * (0.75 + random() / 2), signal);
  }
}

/** @returns why the watch ended. Rejects with what `onEvent` throws: the driver's library must not see that. */
async function watchOnce(
  driver: TellingDriver,
  wait: Wait,
  signal: AbortSignal,
  onEvent: (event: DeviceEvent) => void,
): Promise<unknown> {
  const ended = new AbortController();
  const end = AbortSignal.any([signal, ended.signal]);
  const left = Promise.withResolvers<undefined>();
  end.addEventListener('abort', () => {
    void wait(END_LIMIT_MS, new AbortController().signal).then(() => left.resolve(undefined));
  });
  let broke: { readonly error: unknown } | undefined;
  const take = (event: DeviceEvent): void => {
    if (end.aborted) return;
    try {
      onEvent(event);
    } catch (error) {
      broke = { error };
      ended.abort();
    }
  };
  const error = await Promise.race([outcomeOf(driver, take, end), left.promise]);
  ended.abort();
  if (broke) throw broke.error;
  return error;
}

async function outcomeOf(
  driver: TellingDriver,
  take: (event: DeviceEvent) => void,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    await driver.watchEvents(take, signal);
    return new Error('the driver ended a watch that nobody ended');
  } catch (error) {
    return error;
  }
}
