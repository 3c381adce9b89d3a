import { readTag, tags } from './tags.ts';

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

export const services = { confirmedCov: 1, unconfirmedCov: 2, iAm: 0 } as const;

/** An APDU and who sent it. */
export interface Message {
  readonly from: Place;
  readonly apdu: Buffer;
  /** A broadcast that another station passed on in the sender's name (Annex J, clause 2.5). */
  readonly isForwarded: boolean;
}

/** Longest datagram of the standard: 1476 octets of APDU and the longest headers before it. */
const LONGEST = 1_520;
const BVLC = { forwarded: 0x04, unicast: 0x0a, broadcast: 0x0b } as const;

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

/** Headers of our own before an APDU, for a reader that wants a whole datagram. */
export function wrap(apdu: Buffer): Buffer {
  const head = Buffer.from([0x81, BVLC.unicast, 0, 0, 1, 0]);
  head.writeUInt16BE(apdu.length + head.length, 2);
  return Buffer.concat([head, apdu]);
}

/** A device's answer to Who-Is, clause 16.10. */
export interface IAm {
  readonly instance: number;
  /** Longest APDU it takes, octets. */
  readonly maxApdu: number;
  readonly place: Place;
}

/** @returns undefined when the message is no I-Am. */
export function parseIAm({ apdu, from }: Message): IAm | undefined {
  if (apdu[0] !== pduTypes.unconfirmed << 4 || apdu[1] !== services.iAm) return undefined;
  const data = apdu.subarray(2);
  const object = readTag(data, 0);
  const length = object && readTag(data, object.end);
  const isObject =
    object?.kind === 'application' && object.number === tags.object && object.content.length === 4;
  const isLength = length?.kind === 'application' && length.number === tags.unsigned;
  if (!isObject || !isLength || length.content.length < 1 || length.content.length > 4) return undefined;
  const word = object.content.readUInt32BE();
  if (word >>> 22 !== 8) return undefined;
  return {
    instance: word & 0x3f_ffff,
    maxApdu: length.content.readUIntBE(0, length.content.length),
    place: from,
  };
}
