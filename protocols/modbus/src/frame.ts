import type { ReadFunction } from './address.ts';

/** What is asked of a unit. */
export interface ReadRequest {
  readonly unit: number;
  readonly fc: ReadFunction;
  readonly start: number;
  readonly count: number;
}

/** What the parser makes of the bytes so far. */
export type Parsed =
  | { readonly kind: 'data'; readonly data: Uint8Array }
  /** The device's own refusal, Modbus application protocol clause 7. */
  | { readonly kind: 'exception'; readonly code: number }
  /** Not whole yet. */
  | { readonly kind: 'more' }
  /** No answer to this request can follow any more in this stream: it must be closed. */
  | { readonly kind: 'broken'; readonly why: string };

/** Turns one request after the other into bytes and the bytes that come back into its answer. One framer per connection. */
export interface Framer {
  /** Bytes of the next request. Whatever came in before belongs to no request any more. */
  encode(request: ReadRequest): Uint8Array;
  /** Takes bytes as they come, torn or merged. Never throws. */
  push(bytes: Uint8Array): Parsed;
  /** True when a late answer could be taken for a new one: close the stream before the next request. */
  readonly isWornOut: boolean;
  /** Tells the framer that its request was given up. */
  giveUp(): void;
}

const more: Parsed = { kind: 'more' };
const broken = (why: string): Parsed => ({ kind: 'broken', why });
const empty = new Uint8Array(0);

/** Data bytes of a good answer. */
const dataBytes = ({ fc, count }: ReadRequest): number => (fc <= 2 ? Math.ceil(count / 8) : count * 2);

/** Body of an answer, from the function code on, checked against the request. */
function parseBody(body: Uint8Array, { fc, ...rest }: ReadRequest): Parsed {
  const length = dataBytes({ fc, ...rest });
  if (body[0] === (fc | 0x80) && body.length === 2) return { kind: 'exception', code: body[1]! };
  if (body[0] !== fc) return broken(`function ${body[0]} answered ${fc}`);
  if (body[1] !== length || body.length !== 2 + length)
    return broken(`${body[1]} data bytes answered ${length}`);
  return { kind: 'data', data: body.slice(2) };
}

const MBAP_BYTES = 7;
const LAST_TRANSACTION = 0xffff;

/**
 * Modbus TCP. Answers are told apart by transaction: one that belongs to no open request is dropped. A number is used again
 * only on a connection where every request was answered, and half a frame that nobody waits for ends the stream.
 */
export function createMbapFramer(): Framer {
  let transaction = 0;
  let hasGivenUp = false;
  let isTorn = false; // Bytes are left that no request waits for: they would be taken for the head of the next answer.
  let open: ReadRequest | undefined;
  let rest: Uint8Array = empty;

  function parse(): Parsed {
    for (;;) {
      if (rest.length < MBAP_BYTES) return more;
      const head = new DataView(rest.buffer, rest.byteOffset, MBAP_BYTES);
      const length = head.getUint16(4);
      if (head.getUint16(2) !== 0) return broken(`protocol ${head.getUint16(2)} is not Modbus`);
      if (length < 3 || length > 254) return broken(`a frame of ${length} bytes`);
      if (rest.length < 6 + length) return more;
      const frame = rest.subarray(0, 6 + length);
      rest = rest.subarray(6 + length);
      if (!open || head.getUint16(0) !== transaction) continue; // Too late for its own request, and not for ours.
      if (frame[6] !== open.unit) return broken(`unit ${frame[6]} answered for ${open.unit}`);
      const parsed = parseBody(frame.subarray(MBAP_BYTES), open);
      open = undefined;
      return parsed;
    }
  }

  return {
    encode(request) {
      transaction = transaction === LAST_TRANSACTION ? 1 : transaction + 1;
      open = request;
      const bytes = new Uint8Array(12);
      const view = new DataView(bytes.buffer);
      view.setUint16(0, transaction);
      view.setUint16(4, 6);
      writeRequest(bytes, 6, request);
      return bytes;
    },
    push(bytes) {
      rest = append(rest, bytes);
      const parsed = parse();
      isTorn ||= !open && rest.length > 0;
      return parsed;
    },
    get isWornOut() {
      return isTorn || (hasGivenUp && transaction === LAST_TRANSACTION);
    },
    giveUp() {
      hasGivenUp = true;
      isTorn ||= rest.length > 0;
      open = undefined;
    },
  };
}

const CRC_BYTES = 2;

/**
 * RTU frames, over TCP or a line. They carry no number: after a request was given up, or after any byte that does not fit, a later
 * answer could be anyone's, so the stream is worn out.
 */
export function createRtuFramer(): Framer {
  let open: ReadRequest | undefined;
  let isWornOut = false;
  let rest: Uint8Array = empty;

  function parse(request: ReadRequest): Parsed {
    if (rest.length >= 1 && rest[0] !== request.unit)
      return broken(`unit ${rest[0]} answered for ${request.unit}`);
    if (rest.length < 3) return more;
    const isException = rest[1] === (request.fc | 0x80);
    if (!isException && rest[1] !== request.fc) return broken(`function ${rest[1]} answered ${request.fc}`);
    if (!isException && rest[2] !== dataBytes(request))
      return broken(`${rest[2]} data bytes answered ${dataBytes(request)}`);
    const length = (isException ? 3 : 3 + dataBytes(request)) + CRC_BYTES;
    if (rest.length < length) return more;
    if (rest.length > length) return broken(`${rest.length - length} bytes after the answer`);
    if (crc16(rest) !== 0) return broken('check sum');
    return parseBody(rest.subarray(1, length - CRC_BYTES), request);
  }

  return {
    encode(request) {
      open = request;
      rest = empty;
      const bytes = new Uint8Array(8);
      writeRequest(bytes, 0, request);
      new DataView(bytes.buffer).setUint16(6, crc16(bytes.subarray(0, 6)), true);
      return bytes;
    },
    push(bytes) {
      rest = append(rest, bytes);
      const parsed = open ? parse(open) : broken('bytes that nobody asked for');
      if (parsed.kind === 'broken') isWornOut = true;
      if (parsed.kind !== 'more') open = undefined;
      return parsed;
    },
    get isWornOut() {
      return isWornOut;
    },
    giveUp() {
      isWornOut = true;
      open = undefined;
    },
  };
}

function writeRequest(bytes: Uint8Array, at: number, { unit, fc, start, count }: ReadRequest): void {
  const view = new DataView(bytes.buffer);
  view.setUint8(at, unit);
  view.setUint8(at + 1, fc);
  view.setUint16(at + 2, start);
  view.setUint16(at + 4, count);
}

function append(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) return tail;
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}

const crcTable = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  return crc;
});

/** Modbus over serial line, clause 2.5.1.2; sent low byte first, so it is 0 over a frame with its own check sum. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ crcTable[(crc ^ byte) & 0xff]!;
  return crc;
}
