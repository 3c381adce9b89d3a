import { BacnetClient } from './library.ts';
import type { ObjectId } from './address.ts';
import { type Place, pduTypes, services, wrap } from './datagram.ts';
import { Refusal } from './refusal.ts';
import { type Assembler, createAssembler } from './segments.ts';
import { isWellFormed } from './tags.ts';
import { createTransport } from './transport.ts';

export type PropertyValue = Awaited<ReturnType<BacnetClient['readProperty']>>['values'][number];
export type ReadResult = Awaited<ReturnType<BacnetClient['readPropertyMultiple']>>['values'][number];

/** A change of value, as the device told it. */
export interface Notification {
  readonly processId: number;
  /** Instance of the device that says it. */
  readonly device: number;
  readonly object: ObjectId;
  readonly values: readonly { readonly property: number; readonly value: readonly PropertyValue[] }[];
  /** It came before, and others since: our acknowledgement was lost, and what it says may be out of date. */
  readonly isAgain: boolean;
}

/** The client library in front of one device: one request at a time. Requests reject with Refusal, {@link NoAnswer} or a decoder's error. */
export interface Station {
  readonly place: Place;
  readProperty(object: ObjectId, property: number, index?: number): Promise<readonly PropertyValue[]>;
  readMultiple(
    asked: readonly (ObjectId & { readonly properties: readonly number[] })[],
  ): Promise<readonly ReadResult[]>;
  /** @param lifetimeS 0 cancels. */
  subscribe(object: ObjectId, processId: number, isConfirmed: boolean, lifetimeS: number): Promise<void>;
  /** Called for each notification; a confirmed one is acknowledged when it says that it wants it. */
  onNotification: ((notification: Notification) => boolean) | undefined;
  /** An APDU from the device's place. Throws what the library throws. */
  receive(apdu: Buffer): void;
  close(): void;
}

export interface StationDeps {
  readonly place: Place;
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

/** Array index of "no index": the whole property. */
export const WHOLE_ARRAY = 0xffff_ffff;
/** Notifications remembered, by which one that comes again is known. Far fewer than there are invoke ids. */
const REMEMBERED = 32;
const errorClasses = { services: 5, unknownSubscription: 79 } as const;

export function createStation(deps: StationDeps): Station {
  const { place } = deps;
  const transport = createTransport(deps.send);
  const client = new BacnetClient({ transport, apduTimeout: deps.timeoutMs });
  // Always with its port: the library takes a sender without one for this machine and drops it.
  const name = `${place.address}:${place.port}`;
  const receiver = {
    address: name,
    ...(place.net === undefined ? {} : { net: place.net, adr: [...(place.adr ?? [])] }),
  };
  let invokeId = 0;
  let assembler: Assembler | undefined;
  let lastEnd: Refusal['kind'] | undefined;
  let confirmed: string[] = [];
  let isAgain = false;

  /** Numbers of requests come round only after 255 others, so a late answer meets nobody. */
  async function ask<T>(request: (options: { invokeId: number }) => Promise<T>): Promise<T> {
    invokeId = (invokeId % 255) + 1;
    assembler = createAssembler(invokeId);
    lastEnd = undefined;
    try {
      return await request({ invokeId });
    } catch (error) {
      throw translated(error, lastEnd);
    } finally {
      assembler = undefined;
    }
  }

  /** @returns whether this very request came before and one with another invoke id since. */
  function remember(apdu: Buffer): boolean {
    const text = apdu.toString('latin1');
    const latest = confirmed.at(-1);
    const isKnown = confirmed.includes(text) && latest?.[2] !== text[2];
    confirmed = [...confirmed.slice(1 - REMEMBERED), text];
    return isKnown;
  }

  const pass = (apdu: Buffer): void => void transport.emit('message', wrap(apdu), name);
  function segment(apdu: Buffer): void {
    const { reply, whole } = assembler?.take(apdu) ?? {};
    if (reply) deps.send(addressed(reply, place));
    if (whole) station.receive(whole);
  }

  function notified(content: { payload: unknown; invokeId?: number }, isConfirmed: boolean): void {
    const notification = { ...notificationOf(content.payload), isAgain: isConfirmed && isAgain };
    const isWanted = station.onNotification?.(notification) ?? false;
    if (!isConfirmed || content.invokeId === undefined) return;
    const { services: errorClass, unknownSubscription } = errorClasses;
    if (isWanted) client.simpleAckResponse(receiver, services.confirmedCov, content.invokeId);
    else
      client.errorResponse(
        receiver,
        services.confirmedCov,
        content.invokeId,
        errorClass,
        unknownSubscription,
      );
  }
  client.on('covNotify', (content) => notified(content, true));
  client.on('covNotifyUnconfirmed', (content) => notified(content, false));

  const station: Station = {
    place,
    onNotification: undefined,
    async readProperty(object, property, index = WHOLE_ARRAY) {
      const { type, instance } = object;
      const result = await ask((options) =>
        client.readProperty(receiver, { type, instance }, property, { ...options, arrayIndex: index }),
      );
      const isAsked =
        isSame(result.objectId, object) && result.property.id === property && result.property.index === index;
      if (!isAsked) throw new Error('the answer is about another property');
      return result.values;
    },
    async readMultiple(asked) {
      const specification = asked.map(({ type, instance, properties }) => ({
        objectId: { type, instance },
        properties: properties.map((id) => ({ id, index: WHOLE_ARRAY })),
      }));
      const { values } = await ask((options) =>
        client.readPropertyMultiple(receiver, specification, options),
      );
      return values;
    },
    subscribe: ({ type, instance }, processId, isConfirmed, lifetimeS) =>
      ask((options) =>
        client.subscribeCov(
          receiver,
          { type, instance },
          processId,
          lifetimeS === 0,
          isConfirmed,
          lifetimeS,
          options,
        ),
      ),
    receive(apdu) {
      const type = apdu[0]! >> 4;
      if (type === pduTypes.complexAck && (apdu[0]! & 8) !== 0) return segment(apdu);
      if (!isAnswerOrNotification(apdu)) return;
      if (type === pduTypes.reject || type === pduTypes.abort) {
        if (apdu[1] !== invokeId) return;
        lastEnd = type === pduTypes.reject ? 'reject' : 'abort';
      }
      if (type === pduTypes.confirmed) isAgain = remember(apdu);
      pass(apdu);
    },
    close() {
      deps.onClosed();
      client.close();
    },
  };
  return station;
}

export const isSame = (a: ObjectId, b: ObjectId): boolean => a.type === b.type && a.instance === b.instance;

/** What the library may see: whole answers, and notifications; each well formed, so that its readers stay inside. */
function isAnswerOrNotification(apdu: Buffer): boolean {
  switch (apdu[0]! >> 4) {
    case pduTypes.simpleAck:
    case pduTypes.reject:
    case pduTypes.abort:
      return apdu.length >= 3;
    case pduTypes.complexAck:
    case pduTypes.error:
      return apdu.length > 3 && isWellFormed(apdu.subarray(3));
    case pduTypes.confirmed:
      return (apdu[0]! & 8) === 0 && apdu[3] === services.confirmedCov && isWellFormed(apdu.subarray(4));
    case pduTypes.unconfirmed:
      return apdu[1] === services.unconfirmedCov && isWellFormed(apdu.subarray(2));
    default:
      return false; // Segment acknowledgements answer segmented requests, and we send none.
  }
}

/** The library tells failures in words only. */
function translated(error: unknown, lastEnd: Refusal['kind'] | undefined): unknown {
  const text = error instanceof Error ? error.message : String(error);
  if (text === 'ERR_TIMEOUT') return new NoAnswer();
  const refused = /^BacnetError - Class:(\d+) - Code:(\d+)$/.exec(text);
  if (refused) return new Refusal('error', Number(refused[2]), Number(refused[1]));
  const ended = /^BacnetAbort - Reason:(\d+)$/.exec(text);
  if (ended) return new Refusal(lastEnd ?? 'abort', Number(ended[1]));
  return error;
}

interface CovPayload {
  readonly subscriberProcessId: number;
  readonly initiatingDeviceId: ObjectId;
  readonly monitoredObjectId: ObjectId;
  readonly values: readonly {
    readonly property: { readonly id: number };
    readonly value: readonly PropertyValue[];
  }[];
}

/** The library's own type calls the device a number; it is an object identifier. */
function notificationOf(payload: unknown): Omit<Notification, 'isAgain'> {
  const { subscriberProcessId, initiatingDeviceId, monitoredObjectId, values } = payload as CovPayload;
  return {
    processId: subscriberProcessId,
    device: initiatingDeviceId.instance,
    object: monitoredObjectId,
    values: values.map(({ property, value }) => ({ property: property.id, value })),
  };
}

/** A message of ours that the library does not send itself, with the way through a router where there is one. */
function addressed(apdu: Buffer, place: Place): Buffer {
  if (place.net === undefined) return wrap(apdu);
  const adr = place.adr ?? [];
  const npdu = Buffer.from([1, 0x20, place.net >> 8, place.net & 0xff, adr.length, ...adr, 255]);
  const head = Buffer.from([0x81, 0x0a, 0, 0]);
  head.writeUInt16BE(head.length + npdu.length + apdu.length, 2);
  return Buffer.concat([head, npdu, apdu]);
}
