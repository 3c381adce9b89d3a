import type { ObjectId } from './address.ts';
import { services } from './datagram.ts';
import { applicationOctets, application, bitOctets, contextObject, enclosed, type Octets } from './encode.ts';
import type { Station } from './station.ts';
import { createReader, type Reader, tags } from './tags.ts';
import { type LocalMs, timestampIn } from './time.ts';

/** An event, clauses 13.8 and 13.9. */
export interface EventNotification {
  /** Instance of the device that says it. */
  readonly device: number;
  readonly object: ObjectId;
  /** When, by the device's clock; undefined where it counts instead. */
  readonly local: LocalMs | undefined;
  /** 0 alarm, 1 event, 2 somebody acknowledged. */
  readonly notifyType: number;
  /** BACnetEventState; undefined in an acknowledgement without one. */
  readonly toState: number | undefined;
  readonly text: string | undefined;
}

/** What is not normal in a device, or nobody has acknowledged yet. Clause 13.12. */
export interface EventSummary {
  readonly object: ObjectId;
  readonly state: number;
  /** When it last went to an alarm, to a fault and to normal. */
  readonly local: readonly (LocalMs | undefined)[];
}

/** @throws Malformed. */
export function eventNotificationIn(data: Buffer): EventNotification {
  const reader = createReader(data);
  reader.unsigned(0);
  const device = reader.object(1).instance;
  const object = reader.object(2);
  reader.open(3);
  const local = timestampIn(reader);
  reader.close(3);
  for (const number of [4, 5, 6]) reader.unsigned(number); // Class, priority and type of the event.
  const text = reader.isContext(7) ? reader.characters(7) : undefined;
  const notifyType = reader.unsigned(8);
  for (const number of [9, 10]) if (reader.isContext(number)) reader.unsigned(number);
  const toState = reader.isContext(11) ? reader.unsigned(11) : undefined;
  return { device, object, local, notifyType, toState, text };
}

/** One page of GetEventInformation. @param after The last object of the page before. */
export const getEventInformation = (
  station: Station,
  after: ObjectId | undefined,
): Promise<{ readonly events: readonly EventSummary[]; readonly hasMore: boolean }> =>
  station.request(services.getEventInformation, after ? contextObject(0, after) : [], (ack) => {
    const reader = createReader(ack);
    const events: EventSummary[] = [];
    for (reader.open(0); !reader.isClosing(0);) events.push(summaryIn(reader));
    reader.close(0);
    return { events, hasMore: reader.boolean(1) };
  });

function summaryIn(reader: Reader): EventSummary {
  const object = reader.object(0);
  const state = reader.unsigned(1);
  reader.bits(2);
  reader.open(3);
  const local = [timestampIn(reader), timestampIn(reader), timestampIn(reader)];
  reader.close(3);
  reader.unsigned(4);
  reader.bits(5);
  reader.enclosed(6);
  return { object, state, local };
}

/** Somebody who is told of events: an address on the device's own network. */
export interface Recipient {
  readonly address: string;
  readonly port: number;
  readonly processId: number;
}

const RECIPIENT_LIST = 102;
const all = (count: number): boolean[] => Array.from({ length: count }, () => true);

/** Puts a recipient on the list of a notification class, or takes it off. Clauses 14.1 and 14.2. A recipient who is there already stays once. */
export const changeRecipients = (
  station: Station,
  change: 'addListElement' | 'removeListElement',
  object: ObjectId,
  recipient: Recipient,
): Promise<void> =>
  station.request(
    services[change],
    [...[...contextObject(0, object), 0x19, RECIPIENT_LIST], ...enclosed(3, destinationOctets(recipient))],
    () => undefined,
  );

/** BACnetDestination, clause 21: every day, all day, confirmed, all transitions. */
function destinationOctets({ address, port, processId }: Recipient): Octets {
  const mac = [...address.split('.').map(Number), port >> 8, port & 255];
  return [
    ...applicationOctets(tags.bits, bitOctets(all(7))),
    ...applicationOctets(tags.time, [0, 0, 0, 0]),
    ...applicationOctets(tags.time, [23, 59, 59, 99]),
    ...enclosed(1, [...application(tags.unsigned, 0), ...applicationOctets(tags.octets, mac)]),
    ...application(tags.unsigned, processId),
    ...application(tags.boolean, 1),
    ...applicationOctets(tags.bits, bitOctets(all(3))),
  ];
}
