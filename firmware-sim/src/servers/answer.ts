import type { Area } from '../device-table.ts';
import type { Device } from '../device.ts';
import type { Transport } from '../park.ts';
import { exceptions } from './exceptions.ts';
import type { Request } from './frames.ts';
import { identification, serverId } from './identity.ts';
import { writes } from './writes.ts';

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
  if (device.lacks.has(fc)) return refuse(fc, exceptions.function);
  const area = areaOf[fc];
  if (!area) return otherwise(request, device);
  if (request.pdu.length !== 5) return refuse(fc, exceptions.value);
  const shown = device.read(area, addr, count, t);
  if (!shown.ok) return refuse(fc, shown.exception);
  const body = fc <= 2 ? packBits(shown.words) : packWords(shown.words);
  return { pdu: Buffer.concat([Buffer.of(fc, body.length), body]), values: shown.values, outcome: 'ok' };
}

/** Functions that read no range of points. */
function otherwise({ pdu }: Request, device: Device): Answer {
  const [fc, body] = [pdu[0] ?? 0, pdu.subarray(1)];
  const done = writes[fc]?.(body, device);
  if (done) return done.ok ? said(fc, done.body) : refuse(fc, done.exception);
  if (fc === 8 && body.readUInt16BE(0) === 0) return said(fc, body);
  const { identity } = device;
  if (fc === 17 && identity) return said(fc, serverId(identity));
  if (fc !== 43 || !identity) return refuse(fc, exceptions.function);
  const list = identification(body, identity);
  return list ? said(fc, list) : refuse(fc, exceptions.value);
}

const said = (fc: number, body: Buffer): Answer => ({
  pdu: Buffer.concat([Buffer.of(fc), body]),
  values: {},
  outcome: 'ok',
});

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
