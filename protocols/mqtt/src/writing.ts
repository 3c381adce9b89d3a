import { DriverError, type WriteOrder, type Written } from '@parkline/kit';
import type { Address } from './address.ts';
import type { Dialect } from './dialect.ts';
import { decodePoint } from './payload.ts';
import type { Station, Told } from './station.ts';

/** The way to a device. */
export interface Outlet {
  /**
   * Sends with QoS 1. `acknowledged` resolves when the device itself acknowledged it, and never where only a broker does.
   * @param until Unix ms: later it must not reach the device any more.
   * Rejects with DriverError when nothing was sent.
   */
  send(topic: string, payload: Uint8Array, until: number): Promise<{ readonly acknowledged: Promise<void> }>;
}

export interface WriteDeps {
  readonly station: Station;
  readonly dialect: Dialect;
  readonly outlet: Outlet;
  /** For the device to show the new value, ms. */
  readonly confirmMs: number;
  readonly now: () => number;
  readonly where: string;
}

/** Sends one value and waits until the device tells what it shows: its acknowledgement alone proves nothing. */
export async function writePoint(
  { ref, value }: WriteOrder,
  address: Address,
  deps: WriteDeps,
  signal: AbortSignal,
): Promise<Written> {
  const { station, dialect, outlet, confirmMs, now, where } = deps;
  if (!station.isOnline())
    throw new DriverError('lost', 'the device is not connected: nothing was sent', where);
  const before = station.last(address.subtopic);
  const { topic, payload } = dialect.command(ref, address, value, before);
  const shownIn = (told: Told): number | null => {
    const decoded = decodePoint(told.document, address.path, ref, dialect.words);
    return decoded.ok ? decoded.value : null;
  };
  const answers = watchFor(station, address.subtopic, (told) => value === null || shownIn(told) === value);
  try {
    const { acknowledged } = await outlet.send(topic, payload, now() + confirmMs);
    let isAcknowledged = false;
    void acknowledged.then(() => (isAcknowledged = true));
    const told = await answers.wait(confirmMs, signal);
    if (signal.aborted)
      throw new DriverError('aborted', 'gave up: nobody knows whether the device took it', where);
    if (told) return written(shownIn(told), value, told.receivedAt);
    // A device that tells only changes has nothing to tell when it shows the value already.
    const stands = isAcknowledged && before && station.hasStayed(before) ? shownIn(before) : undefined;
    if (stands !== undefined && (value === null || stands === value))
      return { ...written(stands, value, now()), detail: 'the device acknowledged it and shows no change' };
    const what = isAcknowledged ? 'acknowledged it and' : 'did not acknowledge it and';
    throw new DriverError(
      'timeout',
      `the device ${what} told nothing of ${address.subtopic} for ${confirmMs} ms`,
      where,
    );
  } finally {
    answers.end();
  }
}

function written(readBack: number | null, value: number | null, at: number): Written {
  return { state: value === null || readBack === value ? 'done' : 'differs', at, readBack };
}

/** Follows one name until something told there is as wished. */
function watchFor(station: Station, name: string, isWished: (told: Told) => boolean) {
  const { promise, resolve } = Promise.withResolvers<Told | undefined>();
  let last: Told | undefined;
  const end = station.follow({
    told(subtopic, told) {
      if (subtopic !== name) return;
      last = told;
      if (isWished(told)) resolve(told);
    },
  });
  return {
    end,
    /** The wished for; after `ms` the last that was told, undefined for nothing. */
    async wait(ms: number, signal: AbortSignal): Promise<Told | undefined> {
      const give = (): void => {
        resolve(last);
      };
      const timer = setTimeout(give, ms);
      signal.addEventListener('abort', give, { once: true });
      if (signal.aborted) give();
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', give);
      }
    },
  };
}
