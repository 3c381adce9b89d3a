import { type CovNotification, covNotificationIn } from './cov-service.ts';
import { frame, type Place, pduTypes, services, unconfirmed } from './datagram.ts';
import type { Octets } from './encode.ts';
import { type EventNotification, eventNotificationIn } from './event-service.ts';
import { errorIn } from './read-property.ts';
import { Refusal } from './refusal.ts';
import { type Assembler, createAssembler } from './segments.ts';
import { createReader } from './tags.ts';

/** One device's place on the network: one request at a time, and what the device says unasked. */
export interface Station {
  readonly place: Place;
  /**
   * Sends a confirmed request and gives its decoded answer; the data of a SimpleACK are empty. What `decode` throws at is not the
   * answer and is waited past. Rejects with Refusal; with {@link NoAnswer} when nothing came in time, or the decoder's error when
   * nothing else did.
   */
  request<T>(service: number, data: Octets, decode: (ack: Buffer) => T): Promise<T>;
  /** Called for each change of value; a confirmed one is acknowledged when it says that it wants it. */
  onNotification: ((notification: Notification) => boolean) | undefined;
  /** Called for each event; a confirmed one is acknowledged when it says that it wants it. */
  onEvent: ((event: EventNotification) => boolean) | undefined;
  /** An APDU from the device's place. @throws Malformed for what says nothing. */
  receive(apdu: Buffer): void;
  /** It hears nothing any more: its device is elsewhere, or another claims its place. */
  readonly isClosed: boolean;
  /** Ends the request under way with {@link NoAnswer}. */
  close(): void;
}

/** A change of value, as the device told it. */
export interface Notification extends CovNotification {
  /** It came before, and others since: our acknowledgement was lost, and what it says may be out of date. */
  readonly isAgain: boolean;
}

export interface StationDeps {
  readonly place: Place;
  /** For each answer, and for each part of one that comes in segments. */
  readonly timeoutMs: number;
  readonly send: (datagram: Buffer) => void;
  readonly onClosed: () => void;
}

/** No whole answer came in time. */
export class NoAnswer extends Error {
  constructor() {
    super('no answer');
    this.name = 'NoAnswer';
  }
}

/** Another device answers at the place. */
export class Stranger extends Error {
  constructor() {
    super('another device answers there');
    this.name = 'Stranger';
  }
}

interface Pending {
  readonly invokeId: number;
  readonly service: number;
  readonly assembler: Assembler;
  take(ack: Buffer): void;
  /** A part of the answer came: the next has its own time. */
  wait(): void;
  fail(error: Error): void;
}

/** Notifications remembered, by which one that comes again is known. Far fewer than there are invoke ids. */
const REMEMBERED = 32;
/** We take answers in any number of segments, each as long as Ethernet has them. Clause 20.1.2.4 and 20.1.2.5. */
const TAKES_SEGMENTS = 2;
const ANY_NUMBER_OF_1476 = 0x75;
/** An answer in segments may take so many time-outs at most: one that trickles must not hold the device for ever. */
const MOST_TIMEOUTS = 30;
const EMPTY = Buffer.alloc(0);
/** Class "services", codes "unknown subscription" and "service request denied". */
const errorClass = 5;
const codes = { unknownSubscription: 79, requestDenied: 29 } as const;

export function createStation(deps: StationDeps): Station {
  const { place } = deps;
  let invokeId = 0;
  let pending: Pending | undefined;
  let confirmed: string[] = [];
  let isClosed = false;

  const send = (apdu: Octets | Buffer, isExpectingReply = false): void =>
    deps.send(frame(apdu, place, isExpectingReply));

  /** @returns whether this very request came before and one with another invoke id since. */
  function remember(apdu: Buffer): boolean {
    const text = apdu.toString('latin1');
    const latest = confirmed.at(-1);
    const isKnown = confirmed.includes(text) && latest?.[2] !== text[2];
    confirmed = [...confirmed.slice(1 - REMEMBERED), text];
    return isKnown;
  }

  /** Answers a confirmed notification by whether it was wanted. */
  function reply(apdu: Buffer, isWanted: boolean, code: number): void {
    const [, , id = 0, service = 0] = apdu;
    if (isWanted) send([pduTypes.simpleAck << 4, id, service]);
    else send([pduTypes.error << 4, id, service, 0x91, errorClass, 0x91, code]);
  }

  function hearRequest(apdu: Buffer): void {
    if ((apdu[0]! & 8) !== 0) return; // Nobody needs segments to tell a change.
    if (apdu[3] === services.confirmedCov) {
      const notification = covNotificationIn(apdu.subarray(4));
      const isAgain = remember(apdu);
      reply(apdu, station.onNotification?.({ ...notification, isAgain }) ?? false, codes.unknownSubscription);
    } else if (apdu[3] === services.confirmedEvent) {
      reply(apdu, station.onEvent?.(eventNotificationIn(apdu.subarray(4))) ?? false, codes.requestDenied);
    }
  }

  function hearUnconfirmed(apdu: Buffer): void {
    if (apdu[1] === unconfirmed.covNotification)
      station.onNotification?.({ ...covNotificationIn(apdu.subarray(2)), isAgain: false });
    else if (apdu[1] === unconfirmed.eventNotification)
      station.onEvent?.(eventNotificationIn(apdu.subarray(2)));
  }

  function hearAnswer(apdu: Buffer): void {
    if (!pending || apdu.length < 3 || apdu[1] !== pending.invokeId) return;
    const type = apdu[0]! >> 4;
    if (type === pduTypes.reject) return pending.fail(new Refusal('reject', apdu[2]!));
    if (type === pduTypes.abort) return pending.fail(new Refusal('abort', apdu[2]!));
    if (type === pduTypes.complexAck && (apdu[0]! & 8) !== 0) {
      const { reply: toSend, whole, isNew } = pending.assembler.take(apdu);
      if (isNew) pending.wait();
      if (toSend) send(toSend);
      return whole && hearAnswer(whole);
    }
    if (apdu[2] !== pending.service) return;
    if (type === pduTypes.error) pending.fail(refusalIn(apdu.subarray(3)));
    else pending.take(type === pduTypes.simpleAck ? EMPTY : apdu.subarray(3));
  }

  const station: Station = {
    place,
    onNotification: undefined,
    onEvent: undefined,
    request(service, data, decode) {
      if (pending) throw new Error('one request at a time');
      // Numbers come round only after 255 other requests, so a late answer meets nobody.
      invokeId = (invokeId % 255) + 1;
      const { promise, settle } = createTransaction(decode, deps.timeoutMs);
      pending = { invokeId, service, assembler: createAssembler(invokeId), ...settle };
      const mine = pending;
      send([TAKES_SEGMENTS, ANY_NUMBER_OF_1476, invokeId, service, ...data], true);
      return promise.finally(() => {
        if (pending === mine) pending = undefined;
      });
    },
    receive(apdu) {
      const type = apdu[0]! >> 4;
      if (type === pduTypes.confirmed) hearRequest(apdu);
      else if (type === pduTypes.unconfirmed) hearUnconfirmed(apdu);
      else if (type !== pduTypes.segmentAck) hearAnswer(apdu); // Those answer segmented requests, and we send none.
    },
    get isClosed() {
      return isClosed;
    },
    close() {
      isClosed = true;
      deps.onClosed();
      pending?.fail(new NoAnswer());
    },
  };
  return station;
}

/** The promise of an answer, and the ways to keep it. */
function createTransaction<T>(decode: (ack: Buffer) => T, timeoutMs: number) {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let unreadable: unknown;
  const over = (): void => reject(unreadable ?? new NoAnswer());
  const mostEnd = performance.now() + MOST_TIMEOUTS * timeoutMs;
  let timer = setTimeout(over, timeoutMs);
  const end = (): void => clearTimeout(timer);
  return {
    promise,
    settle: {
      wait(): void {
        clearTimeout(timer);
        timer = setTimeout(over, Math.min(timeoutMs, mostEnd - performance.now()));
      },
      take(ack: Buffer): void {
        try {
          resolve(decode(ack));
          end();
        } catch (error) {
          unreadable = error; // It may be another's, or bent on the way: the real one may still come.
        }
      },
      fail(error: Error): void {
        end();
        reject(error);
      },
    },
  };
}

/** Some services put the error between tags and add where it struck, clause 21: ChangeList-Error. @throws Malformed. */
function refusalIn(data: Buffer): Refusal {
  const reader = createReader(data);
  const pair = errorIn(reader.isOpening(0) ? reader.enclosed(0) : data);
  return new Refusal('error', pair.code, pair.errorClass);
}
