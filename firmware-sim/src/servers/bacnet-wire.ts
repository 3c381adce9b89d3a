/** APDU types, clause 20.1.2.1 to 20.1.9.1, in the upper four bits of the first octet. */
export const pdu = {
  confirmed: 0,
  unconfirmed: 1,
  simpleAck: 2,
  complexAck: 3,
  segmentAck: 4,
  error: 5,
  reject: 6,
  abort: 7,
} as const;

export const service = {
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
  iAm: 0,
  unconfirmedCov: 2,
  whoIs: 8,
} as const;

/** Where a datagram came from or goes to. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

export const nameOf = ({ address, port }: Peer): string => `${address}:${port}`;

/** The APDU of a BACnet/IP datagram (Annex J, clause 6.2.2); undefined when it is none or not for an end device. */
export function unwrap(datagram: Buffer): Buffer | undefined {
  if (datagram.length < 6 || datagram[0] !== 0x81 || datagram.readUInt16BE(2) !== datagram.length)
    return undefined;
  const bvlc = datagram[1]!;
  const from = bvlc === 0x04 ? 10 : bvlc === 0x0a || bvlc === 0x0b ? 4 : undefined;
  if (from === undefined || datagram[from] !== 1) return undefined;
  const control = datagram[from + 1] ?? 0x80;
  if ((control & 0x80) !== 0) return undefined; // A message among routers.
  let at = from + 2;
  if ((control & 0x20) !== 0) at += 3 + (datagram[at + 2] ?? 0);
  if ((control & 0x08) !== 0) at += 3 + (datagram[at + 2] ?? 0);
  if ((control & 0x20) !== 0) at += 1;
  return at < datagram.length ? datagram.subarray(at) : undefined;
}

/** A datagram to one station. @param isExpectingReply Says so to routers on the way. */
export function wrap(apdu: readonly number[], isExpectingReply = false): Buffer {
  const length = apdu.length + 6;
  return Buffer.from([0x81, 0x0a, length >> 8, length & 0xff, 1, isExpectingReply ? 4 : 0, ...apdu]);
}

/** Lengths that the four bits of max-APDU-length-accepted stand for, clause 20.1.2.5. */
const apduLengths = [50, 128, 206, 480, 1024, 1476] as const;

/** A confirmed request. */
export interface Request {
  readonly invokeId: number;
  readonly service: number;
  /** Longest answer that the asker takes, octets; and whether it takes one in segments. */
  readonly maxApdu: number;
  readonly acceptsSegments: boolean;
  readonly isSegmented: boolean;
  readonly data: Buffer;
}

/** @returns undefined when octets are missing. */
export function parseRequest(apdu: Buffer): Request | undefined {
  if (apdu.length < 4) return undefined;
  return {
    isSegmented: (apdu[0]! & 0x08) !== 0,
    acceptsSegments: (apdu[0]! & 0x02) !== 0,
    maxApdu: apduLengths[apdu[1]! & 0x0f] ?? 50,
    invokeId: apdu[2]!,
    service: apdu[3]!,
    data: apdu.subarray(4),
  };
}
