import type { Area } from '../device-table.ts';
import type { Device } from '../device.ts';
import type { Transport } from '../park.ts';
import type { Request } from './frames.ts';

/** Modbus application protocol, clause 7. */
export const exceptions = { function: 1, address: 2, value: 3, failure: 4, gatewayTarget: 0x0b } as const;

/** The range a request asks for; undefined for a function that reads nothing. */
export interface Asked {
  readonly fc: number;
  readonly addr: number;
  readonly count: number;
}

export interface Answer {
  /** Undefined: a device that is not there keeps silent. */
  readonly pdu: Buffer | undefined;
  readonly values: Record<string, number | null>;
  readonly outcome: string;
}

const areaOf: Readonly<Record<number, Area>> = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' };

export function askedBy({ pdu }: Request): Asked {
  return {
    fc: pdu[0] ?? 0,
    addr: pdu.length >= 3 ? pdu.readUInt16BE(1) : 0,
    count: pdu.length >= 5 ? pdu.readUInt16BE(3) : 0,
  };
}

/** What the device, or the gateway in its place, says at Unix ms `t`. */
export function answer(
  request: Request,
  device: Device | undefined,
  transport: Transport,
  t: number,
): Answer {
  const { fc, addr, count } = askedBy(request);
  if (!device) return transport === 'tcp' ? refuse(fc, exceptions.gatewayTarget) : silent;
  const area = areaOf[fc];
  if (!area) return refuse(fc, exceptions.function);
  if (request.pdu.length !== 5) return refuse(fc, exceptions.value);
  const shown = device.read(area, addr, count, t);
  if (!shown.ok) return refuse(fc, shown.exception);
  const body = fc <= 2 ? packBits(shown.words) : packWords(shown.words);
  return { pdu: Buffer.concat([Buffer.of(fc, body.length), body]), values: shown.values, outcome: 'ok' };
}

const silent: Answer = { pdu: undefined, values: {}, outcome: 'silence' };

export function refuse(fc: number, exception: number): Answer {
  return { pdu: Buffer.of(fc | 0x80, exception), values: {}, outcome: `exception ${exception}` };
}

function packWords(words: readonly number[]): Buffer {
  const body = Buffer.alloc(words.length * 2);
  words.forEach((word, index) => body.writeUInt16BE(word, index * 2));
  return body;
}

/** First coil in the lowest bit of the first byte; the last byte is filled up with zeros. */
function packBits(bits: readonly number[]): Buffer {
  const body = Buffer.alloc(Math.ceil(bits.length / 8));
  bits.forEach((bit, index) => {
    body[index >> 3]! |= (bit & 1) << (index & 7);
  });
  return body;
}
