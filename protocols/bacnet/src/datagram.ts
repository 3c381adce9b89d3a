import { DEVICE, type ObjectId } from './address.ts';
import type { Octets } from './encode.ts';
import { createReader, Malformed, tags } from './tags.ts';

/** Where a device is: its own IP address, or behind a router on a network of another kind. */
export interface Place {
  readonly address: string;
  readonly port: number;
  /** Network number and address there, of a device behind a router. */
  readonly net?: number;
  readonly adr?: readonly number[];
}

export const nameOf = ({ address, port, net, adr }: Place): string =>
  net === undefined
    ? `${address}:${port}`
    : `${address}:${port}/${net}:${Buffer.from(adr ?? []).toString('hex')}`;

/** APDU types, ASHRAE 135 clause 20.1, in the upper four bits of the first octet. */
export const pduTypes = {
  confirmed: 0,
  unconfirmed: 1,
  simpleAck: 2,
  complexAck: 3,
  segmentAck: 4,
  error: 5,
  reject: 6,
  abort: 7,
} as const;

/** Confirmed services, clause 21, BACnetConfirmedServiceChoice. */
export const services = {
  confirmedCov: 1,
  confirmedEvent: 2,
  subscribeCov: 5,
  addListElement: 8,
  removeListElement: 9,
  readProperty: 12,
  readPropertyMultiple: 14,
  writeProperty: 15,
  readRange: 26,
  getEventInformation: 29,
} as const;

/** BACnetUnconfirmedServiceChoice. */
export const unconfirmed = { iAm: 0, covNotification: 2, eventNotification: 3, whoIs: 8 } as const;

/** An APDU and who sent it. */
export interface Message {
  readonly from: Place;
  readonly apdu: Buffer;
  /** A broadcast that another station passed on in the sender's name (Annex J, clause 2.5). */
  readonly isForwarded: boolean;
}

/** Longest datagram of the standard: 1476 octets of APDU and the longest headers before it. */
const LONGEST = 1_520;
const BVLC = { forwarded: 0x04, distribute: 0x09, unicast: 0x0a, broadcast: 0x0b } as const;

/** Takes the headers off a datagram (Annex J, clause 6.2.2); undefined for what is no message to an end device. */
export function parseDatagram(
  datagram: Buffer,
  sender: { address: string; port: number },
): Message | undefined {
  if (datagram.length < 7 || datagram.length > LONGEST || datagram[0] !== 0x81) return undefined;
  if (datagram.readUInt16BE(2) !== datagram.length) return undefined;
  const kind = datagram[1];
  const isForwarded = kind === BVLC.forwarded;
  if (!isForwarded && kind !== BVLC.unicast && kind !== BVLC.broadcast) return undefined;
  const at = isForwarded ? 10 : 4;
  if (at + 2 >= datagram.length || datagram[at] !== 1) return undefined;
  const control = datagram[at + 1]!;
  if ((control & 0x80) !== 0) return undefined; // A message among routers.
  const origin = isForwarded
    ? { address: datagram.subarray(4, 8).join('.'), port: datagram.readUInt16BE(8) }
    : { address: sender.address, port: sender.port };
  if (origin.port === 0) return undefined; // Nobody could be answered there.
  return network(datagram, at + 2, control, origin, isForwarded);
}

function network(
  datagram: Buffer,
  start: number,
  control: number,
  origin: Place,
  isForwarded: boolean,
): Message | undefined {
  let at = start;
  let from = origin;
  const hasDestination = (control & 0x20) !== 0;
  if (hasDestination) at += 3 + (datagram[at + 2] ?? 0);
  if ((control & 0x08) !== 0) {
    const length = datagram[at + 2] ?? 0;
    if (length === 0 || at + 3 + length > datagram.length) return undefined;
    from = {
      ...origin,
      net: datagram.readUInt16BE(at),
      adr: [...datagram.subarray(at + 3, at + 3 + length)],
    };
    at += 3 + length;
  }
  if (hasDestination) at += 1; // Hop count.
  if (at + 2 > datagram.length) return undefined;
  return { from, apdu: datagram.subarray(at), isForwarded };
}

/** Who a datagram of ours is for. */
export type Audience = 'one' | 'broadcast' | 'distribute';

const functions: Readonly<Record<Audience, number>> = {
  one: BVLC.unicast,
  broadcast: BVLC.broadcast,
  distribute: BVLC.distribute,
};
/** Network number of "every network", so that routers pass the question on. Clause 6.2.2. */
const ALL_NETWORKS = 0xffff;
const HOPS = 255;

/**
 * An APDU with its headers, Annex J and clause 6.2.2.
 * @param to The way through a router where there is one; 'all networks' for a broadcast that routers pass on.
 * @param isExpectingReply Says so to routers on the way.
 */
export function frame(
  apdu: Octets | Buffer,
  to: Pick<Place, 'net' | 'adr'> | 'all networks',
  isExpectingReply: boolean,
  audience: Audience = 'one',
): Buffer {
  const { net, adr = [] } = to === 'all networks' ? { net: ALL_NETWORKS } : to;
  const control = (net === undefined ? 0 : 0x20) | (isExpectingReply ? 4 : 0);
  const way = net === undefined ? [] : [net >> 8, net & 255, adr.length, ...adr, HOPS];
  const length = 6 + way.length + apdu.length;
  return Buffer.from([0x81, functions[audience], length >> 8, length & 255, 1, control, ...way, ...apdu]);
}

/** A device's answer to Who-Is, clause 16.10. */
export interface IAm {
  readonly instance: number;
  /** Longest APDU it takes, octets. */
  readonly maxApdu: number;
  /** Who made it, by the list that ASHRAE keeps. */
  readonly vendorId?: number;
  readonly place: Place;
}

/** @returns undefined when the message is no I-Am. */
export function parseIAm({ apdu, from }: Message): IAm | undefined {
  if (apdu[0] !== pduTypes.unconfirmed << 4 || apdu[1] !== unconfirmed.iAm) return undefined;
  try {
    const reader = createReader(apdu.subarray(2));
    const [object, maxApdu] = [reader.value(), reader.value()];
    if (object.type !== tags.object || maxApdu.type !== tags.unsigned) return undefined;
    const { type, instance } = object.value as ObjectId;
    if (type !== DEVICE) return undefined;
    if (!reader.isAtEnd) reader.value(); // Segmentation: told again by what the device does.
    const vendor = reader.isAtEnd ? undefined : reader.value();
    return {
      instance,
      maxApdu: Number(maxApdu.value),
      place: from,
      ...(vendor?.type === tags.unsigned ? { vendorId: Number(vendor.value) } : {}),
    };
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
