import { setTimeout as sleep } from 'node:timers/promises';
import { createBackOff, DriverError, type DriverLog } from '@parkline/kit';
import { type IAm, nameOf, type Place } from './datagram.ts';
import type { EventNotification } from './event-service.ts';
import type { Mux } from './mux.ts';
import { aborted, createSerialQueue, type Slots } from './queue.ts';
import { Refusal } from './refusal.ts';
import { NoAnswer, type Notification, type Station, Stranger } from './station.ts';

export interface LinkDeps {
  readonly mux: Mux;
  /** Requests under way at once, shared by all devices of the mux. */
  readonly slots: Slots;
  /** Device instance. */
  readonly instance: number;
  readonly timeoutMs: number;
  /** How often a request is sent again. */
  readonly retries: number;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: DriverLog;
}

/** The way to one device, wherever it is. One request at a time. */
export interface Link {
  /** Names the device in errors. */
  readonly where: string;
  /** Finds the device if its place is not known. Rejects with DriverError 'lost' or 'aborted'. */
  find(signal: AbortSignal): Promise<void>;
  /**
   * Runs a request, again when nobody answers, and at the device's new place when it has moved (nobody answers any more, or the
   * request says Stranger). Rejects with Refusal, or
   * DriverError: 'timeout' (the device is there and does not answer), 'lost' (it is not), 'garbage', 'aborted'.
   */
  ask<T>(request: (station: Station) => Promise<T>, signal: AbortSignal): Promise<T>;
  readonly isClosed: boolean;
  /** Where it was found; undefined while it is not. */
  readonly place: Place | undefined;
  /** Longest APDU the device takes, octets; known once it was found. */
  readonly maxApdu: number;
  /** @returns a function that ends it. */
  onNotification(listener: (notification: Notification) => boolean): () => void;
  /** Events of the device; the listener says whether it wants them. @returns a function that ends it. */
  onEvent(listener: (event: EventNotification) => boolean): () => void;
  /** The device announced itself, or was found at another place: it may have forgotten what it was told. */
  onReturn(listener: () => void): () => void;
  /** The device is let go; `find` and `ask` are refused until `open`. */
  close(): void;
  open(): void;
}

/** The standard's least, for a device that has not said. */
const SHORTEST_APDU = 50;
/** The longest there are on BACnet/IP: what says more is not believed. */
const LONGEST_APDU = 1_476;
/** A device that keeps silent is asked again after 2, 4, 8, ... time-outs, at most after this. */
export const MOST_SILENT_MS = 30_000;
/** Pause before a request is sent again; doubles. */
const AGAIN_MS = 20;

export function createLink(deps: LinkDeps): Link {
  const { mux, instance, timeoutMs, now, random, log } = deps;
  const where = `device ${instance}`;
  const queue = createSerialQueue(where);
  const silence = createBackOff({ firstMs: 2 * timeoutMs, mostMs: MOST_SILENT_MS }, now, random);
  const notified = new Set<(notification: Notification) => boolean>();
  const told = new Set<(event: EventNotification) => boolean>();
  const returned = new Set<() => void>();
  let station: Station | undefined;
  let lastFailure: DriverError | undefined;
  let maxApdu = SHORTEST_APDU;
  let isClosed = false;
  let isSearching = false;
  let strangers = 0;
  let wasFound = false;

  let endListening: (() => void) | undefined;
  const listen = (): void => {
    endListening ??= mux.onIAm(noticed);
  };
  listen();

  function noticed(iAm: IAm): void {
    if (iAm.instance !== instance || isSearching || !station || isClosed) return;
    // What it announces from where it is, it announces after a restart. From elsewhere it is a second device, or it has moved:
    // only silence at the old place can tell.
    if (nameOf(iAm.place) === nameOf(station.place)) for (const listener of returned) listener();
    else if (strangers++ === 0)
      log.warn(
        { where, at: nameOf(station.place), other: nameOf(iAm.place) },
        'device instance claimed twice',
      );
  }

  /** Asks for the device by its instance. @returns its first answer; undefined for none in time. */
  async function call(): Promise<IAm | undefined> {
    const { promise, resolve } = Promise.withResolvers<IAm | undefined>();
    const end = mux.onIAm((iAm) => {
      if (iAm.instance === instance) resolve(iAm);
    });
    isSearching = true;
    const again = setTimeout(() => mux.whoIs(instance, instance, true), timeoutMs / 2);
    const last = setTimeout(() => resolve(undefined), timeoutMs);
    try {
      mux.whoIs(instance, instance);
      return await promise;
    } finally {
      isSearching = false;
      end();
      clearTimeout(again);
      clearTimeout(last);
    }
  }

  /** @returns whether the device is at a place where it was not before. @throws DriverError 'lost'. */
  async function locate(): Promise<boolean> {
    await mux.open();
    const iAm = await call();
    if (!iAm) {
      drop();
      const trouble = mux.trouble ? ` (${mux.trouble})` : '';
      throw new DriverError('lost', `nobody answers for ${where}${trouble}`, mux.where);
    }
    const isMoved = !station || nameOf(station.place) !== nameOf(iAm.place);
    maxApdu = Math.min(LONGEST_APDU, Math.max(SHORTEST_APDU, iAm.maxApdu));
    if (!isMoved) return false;
    drop();
    strangers = 0;
    settle(iAm.place);
    log.debug({ where, at: nameOf(iAm.place) }, 'device found');
    return true;
  }

  function settle(place: Place): Station {
    const settled = mux.station(place);
    settled.onNotification = (notification) =>
      notification.device === instance && [...notified].some((listener) => listener(notification));
    settled.onEvent = (event) =>
      event.device === instance && [...told].map((listener) => listener(event)).includes(true);
    station = settled;
    return settled;
  }

  /** The station, taken back where another device was said to be at its place: whose place it is, answers tell. */
  const taken = (): Station | undefined => (station?.isClosed ? settle(station.place) : station);

  function drop(): void {
    station?.close();
    station = undefined;
  }

  /** One request with its repetitions at one place. Rejects with NoAnswer when none was answered, or the reason why none could be read. */
  async function attempt<T>(request: (station: Station) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      const current = taken();
      if (isClosed || !current) throw closed(where);
      if (signal.aborted) throw aborted(where);
      try {
        const result = await deps.slots.use(() => request(current));
        silence.succeed();
        return result;
      } catch (error) {
        if (error instanceof Refusal) silence.succeed();
        // What cannot be read may be another's, or bent on the way: it is asked for again like what never came.
        const isFinal = [Refusal, DriverError, Stranger].some((kind) => error instanceof kind);
        if (isFinal || isClosed) throw error;
        if (tries >= deps.retries) throw error;
      }
      await sleep(AGAIN_MS * 2 ** tries * (0.75 + random() / 2));
    }
  }

  /** At the device's place, unless it is left alone for a while. */
  async function arrive(): Promise<void> {
    if (silence.waitMs() > 0 && lastFailure) throw lastFailure;
    if (station) return;
    const isReturn = wasFound; // At first there is nothing that it could have forgotten.
    wasFound = await locate();
    if (isReturn) for (const listener of returned) listener();
  }

  async function serve<T>(request: (station: Station) => Promise<T>, signal: AbortSignal): Promise<T> {
    await arrive();
    let failure: unknown;
    try {
      return await attempt(request, signal);
    } catch (error) {
      if (!(error instanceof NoAnswer) && !(error instanceof Stranger)) throw error;
      failure = error;
    }
    // Nobody answers there any more, or somebody else. Where is the device?
    if (await locate()) {
      for (const listener of returned) listener();
      return attempt(request, signal);
    }
    throw failure;
  }

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    if (isClosed) throw closed(where);
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refusal || (error instanceof DriverError && error.code === 'aborted')) throw error;
      if (isClosed) throw closed(where);
      throw failed(error);
    }
  }

  function failed(error: unknown): DriverError {
    if (error === lastFailure && silence.waitMs() > 0) return lastFailure as DriverError;
    const isOurs = error instanceof DriverError;
    const isSilent = error instanceof NoAnswer;
    if (!isOurs && !isSilent) return new DriverError('garbage', String(error), where, { cause: error });
    silence.fail();
    const what = isOurs ? error.message : 'it is there, but does not answer';
    const text = `${what}; asked again in ${Math.round(silence.waitMs())} ms`;
    lastFailure = new DriverError(isOurs ? error.code : 'timeout', text, where, { cause: error });
    return lastFailure;
  }

  return {
    where,
    get isClosed() {
      return isClosed;
    },
    get place() {
      return station?.place;
    },
    get maxApdu() {
      return maxApdu;
    },
    find: (signal) => queue.run(() => guarded(arrive), signal),
    ask(request, signal) {
      if (isClosed) return Promise.reject(closed(where));
      return queue.run(() => guarded(() => serve(request, signal)), signal);
    },
    onNotification(listener) {
      notified.add(listener);
      return () => void notified.delete(listener);
    },
    onEvent(listener) {
      told.add(listener);
      return () => void told.delete(listener);
    },
    onReturn(listener) {
      returned.add(listener);
      return () => void returned.delete(listener);
    },
    close() {
      isClosed = true;
      endListening?.();
      endListening = undefined;
      drop();
    },
    open() {
      isClosed = false;
      listen();
      silence.succeed();
    },
  };
}

const closed = (where: string): DriverError => new DriverError('lost', 'the device was closed', where);
