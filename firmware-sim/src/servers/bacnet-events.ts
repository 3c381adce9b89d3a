import type { BacnetAlarm } from '../tables/bacnet-table.ts';
import { errorApdu, errors, type ErrorPair } from './bacnet-answer.ts';
import * as encode from './bacnet-codec.ts';
import type { ConfirmedSender } from './bacnet-confirmed.ts';
import { DEVICE, NOTIFICATION_CLASS, properties, type SimObject } from './bacnet-objects.ts';
import { pdu, type Peer, type Request, service } from './bacnet-wire.ts';

/** Somebody on the recipient list. */
interface Recipient {
  readonly peer: Peer;
  readonly processId: number;
  readonly isConfirmed: boolean;
  /** As it stands on the list. */
  readonly octets: readonly number[];
}

/** An object with limits, and when it last changed. */
interface Watched extends BacnetAlarm {
  readonly object: SimObject;
  state: number;
  /** Unix ms of the last change to off-normal, to fault, to normal; 0 for never. */
  readonly changed: [number, number, number];
}

export interface EventDeps {
  readonly device: number;
  readonly watched: readonly (BacnetAlarm & { readonly object: SimObject })[];
  /** By object id; kept up to date here. */
  readonly states: Map<string, number>;
  readonly recipients: 'open' | 'closed';
  /** How far the device's clock is ahead of UTC, ms. */
  readonly aheadMs: number;
  readonly confirmed: ConfirmedSender;
  tell(peer: Peer, apdu: readonly number[]): void;
}

/** Limits, recipients and GetEventInformation of a controller, clause 13. */
export interface EventServer {
  tick(t: number): void;
  /** Octets of the recipient list. */
  list(): readonly number[];
  /** AddListElement and RemoveListElement, clauses 14.1 and 14.2. @throws Malformed. */
  changeList(request: Request): readonly number[];
  /** GetEventInformation, clause 13.12. @throws Malformed. */
  information(request: Request, maxApdu: number): readonly number[];
}

const states = { normal: 0, highLimit: 3, lowLimit: 4 } as const;
const OUT_OF_RANGE = 5;
const PRIORITY = 100;
const words = {
  [states.normal]: 'back to normal',
  [states.highLimit]: 'high limit exceeded',
  [states.lowLimit]: 'below low limit',
};

export function createEventServer(deps: EventDeps): EventServer {
  const watched = deps.watched.map((each): Watched => ({
    ...each,
    state: states.normal,
    changed: [0, 0, 0],
  }));
  let recipients: Recipient[] = [];

  function judge(value: number | null, { high, low, state }: Watched): number {
    if (value === null) return state;
    return value > high ? states.highLimit : value < low ? states.lowLimit : states.normal;
  }

  function notify(from: number, each: Watched, value: number, t: number): void {
    for (const { peer, processId, isConfirmed } of recipients) {
      const data = notificationOctets(deps, each, { processId, from, value, t });
      const apdu = isConfirmed
        ? deps.confirmed.take(peer, service.confirmedEvent, data, t)
        : [pdu.unconfirmed << 4, UNCONFIRMED_EVENT, ...data];
      deps.tell(peer, apdu);
    }
  }

  return {
    tick(t) {
      for (const each of watched) {
        const { value } = each.object.show!(t);
        const state = judge(value, each);
        if (state === each.state) continue;
        const from = each.state;
        each.state = state;
        each.changed[state === states.normal ? 2 : 0] = t;
        if (state === states.normal) deps.states.delete(each.of);
        else deps.states.set(each.of, state);
        notify(from, each, value!, t);
      }
    },
    list: () => recipients.flatMap(({ octets }) => octets),
    changeList(request) {
      const reader = encode.createReader(request.data);
      const asked = reader.object(0);
      const property = reader.unsigned(1);
      const refuse = (error: ErrorPair): readonly number[] => {
        const [, , , ...pair] = errorApdu(request, error);
        const head = [pdu.error << 4, request.invokeId, request.service];
        return [...head, encode.opening(0), ...pair, encode.closing(0), ...encode.context(1, [1])];
      };
      if (asked.type !== NOTIFICATION_CLASS || asked.instance !== 1) return refuse(errors.unknownObject);
      if (property !== properties.recipientList || deps.recipients === 'closed')
        return refuse(errors.writeAccessDenied);
      reader.open(3);
      const named = recipientIn(reader);
      reader.close(3);
      const others = recipients.filter(({ octets }) => String(octets) !== String(named.octets));
      const isAdding = request.service === service.addListElement;
      if (!isAdding && others.length === recipients.length) return refuse(errors.listElementNotFound);
      recipients = isAdding ? [...others, named] : others;
      return [pdu.simpleAck << 4, request.invokeId, request.service];
    },
    information(request, maxApdu) {
      const reader = encode.createReader(request.data);
      const after = reader.isAtEnd ? undefined : reader.object(0);
      const active = watched.filter(({ state }) => state !== states.normal);
      const start = after ? active.findIndex(({ object }) => isObject(object, after)) + 1 : 0;
      const octets: number[] = [];
      let count = 0;
      for (const each of active.slice(start)) {
        const summary = summaryOctets(each, deps.aheadMs);
        if (octets.length + summary.length + 10 > maxApdu) break;
        octets.push(...summary);
        count += 1;
      }
      const hasMore = start + count < active.length;
      return [
        ...[pdu.complexAck << 4, request.invokeId, request.service],
        ...[encode.opening(0), ...octets, encode.closing(0), ...encode.context(1, [Number(hasMore)])],
      ];
    },
  };
}

const UNCONFIRMED_EVENT = 3;
const isObject = (object: SimObject, { type, instance }: { type: number; instance: number }): boolean =>
  object.type === type && object.instance === instance;

/** One BACnetDestination, clause 21, of an address on our own network. @throws Malformed. */
function recipientIn(reader: encode.Reader): Recipient {
  const days = reader.application();
  const [from, to] = [reader.application(), reader.application()];
  reader.open(1);
  const network = reader.application();
  const { content: mac } = reader.application();
  reader.close(1);
  const process = reader.application();
  const confirmed = reader.application();
  const transitions = reader.application();
  if (mac.length !== 6) throw new encode.Malformed('an address of BACnet/IP has 6 octets');
  const number = (content: Buffer): number => content.reduce((sum, octet) => sum * 256 + octet, 0);
  const octets = [
    ...encode.tagged(days),
    ...[from, to].flatMap(encode.tagged),
    ...[
      encode.opening(1),
      ...encode.tagged(network),
      ...encode.tagged({ tag: encode.tags.octets, content: mac }),
    ],
    ...[encode.closing(1), ...encode.tagged(process), ...encode.boolean(confirmed.content[0] === 1)],
    ...encode.tagged(transitions),
  ];
  return {
    peer: { address: mac.subarray(0, 4).join('.'), port: mac.readUInt16BE(4) },
    processId: number(process.content),
    isConfirmed: confirmed.content[0] === 1,
    octets,
  };
}

const stampOctets = (t: number, aheadMs: number): number[] =>
  t === 0
    ? [encode.opening(2), 0xa4, 255, 255, 255, 255, 0xb4, 255, 255, 255, 255, encode.closing(2)]
    : [encode.opening(2), ...encode.date(t + aheadMs), ...encode.time(t + aheadMs), encode.closing(2)];

/** ConfirmedEventNotification and its unconfirmed sister, clauses 13.8 and 13.9. */
function notificationOctets(
  { device, aheadMs }: EventDeps,
  { object, state, high, low }: Watched,
  { processId, from, value, t }: { processId: number; from: number; value: number; t: number },
): number[] {
  const limit = (state === states.normal ? from : state) === states.highLimit ? high : low;
  const real = (number: number, of: number): number[] => encode.context(number, encode.realOctets(of));
  return [
    ...encode.context(0, encode.unsignedOctets(processId)),
    ...encode.context(1, encode.objectOctets(DEVICE, device)),
    ...encode.context(2, encode.objectOctets(object.type, object.instance)),
    ...[encode.opening(3), ...stampOctets(t, aheadMs), encode.closing(3)],
    ...[...encode.context(4, [1]), ...encode.context(5, [PRIORITY]), ...encode.context(6, [OUT_OF_RANGE])],
    ...encode.context(7, [0, ...Buffer.from(words[state as keyof typeof words], 'utf8')]),
    ...[...encode.context(8, [0]), ...encode.context(9, [0])],
    ...[...encode.context(10, [from]), ...encode.context(11, [state]), encode.opening(12), encode.opening(5)],
    ...[...real(0, value), ...encode.context(1, encode.bitOctets([state !== 0, false, false, false]))],
    ...[...real(2, 0), ...real(3, limit), encode.closing(5), encode.closing(12)],
  ];
}

function summaryOctets({ object, state, changed }: Watched, aheadMs: number): number[] {
  const all = encode.bitOctets([true, true, true]);
  return [
    ...encode.context(0, encode.objectOctets(object.type, object.instance)),
    ...[...encode.context(1, [state]), ...encode.context(2, all)],
    ...[encode.opening(3), ...changed.flatMap((t) => stampOctets(t, aheadMs)), encode.closing(3)],
    ...[...encode.context(4, [0]), ...encode.context(5, all)],
    ...[encode.opening(6), ...[1, 2, 3].flatMap(() => encode.unsigned(PRIORITY)), encode.closing(6)],
  ];
}
