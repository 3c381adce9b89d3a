import { answerLength, answerOf, broken, more, type Parsed } from './answer.ts';
import type { Request } from './requests.ts';

/** Turns one request after the other into bytes and the bytes that come back into its answer. One framer per connection. */
export interface Framer {
  /** Bytes of the next request. Whatever came in before belongs to no request any more. */
  encode(request: Request): Uint8Array;
  /** Takes bytes as they come, torn or merged. Never throws. */
  push(bytes: Uint8Array): Parsed;
  /** True when a late answer could be taken for a new one: close the stream before the next request. */
  readonly isWornOut: boolean;
  /** Tells the framer that its request was given up. */
  giveUp(): void;
}

const empty = new Uint8Array(0);
const MBAP_BYTES = 7;
const LAST_TRANSACTION = 0xffff;

/**
 * Numbers of requests, 1 to 65535 and round again. Connections to one device share them: a server that hands a late answer on to
 * the next connection gives it a number that is not asked for there.
 */
export function createTransactions(last = 0): () => number {
  return () => (last = last === LAST_TRANSACTION ? 1 : last + 1);
}

/**
 * Modbus TCP. Answers are told apart by transaction: one that belongs to no open request is dropped. A number is used again
 * only on a connection where every request was answered, and half a frame that nobody waits for ends the stream.
 */
export function createMbapFramer(nextTransaction = createTransactions()): Framer {
  let transaction = 0;
  let asked = 0;
  let hasGivenUp = false;
  let isTorn = false; // Bytes are left that no request waits for: they would be taken for the head of the next answer.
  let open: Request | undefined;
  let rest: Uint8Array = empty;

  function parse(): Parsed {
    for (;;) {
      if (rest.length < MBAP_BYTES) return more;
      const protocol = (rest[2]! << 8) | rest[3]!;
      const length = (rest[4]! << 8) | rest[5]!;
      if (protocol !== 0) return broken(`protocol ${protocol} is not Modbus`);
      if (length < 3 || length > 254) return broken(`a frame of ${length} bytes`);
      if (rest.length < 6 + length) return more;
      const frame = rest.subarray(0, 6 + length);
      rest = rest.length === frame.length ? empty : rest.subarray(6 + length);
      if (!open || ((frame[0]! << 8) | frame[1]!) !== transaction) continue; // Too late for its own request, and not for ours.
      if (frame[6] !== open.unit) return broken(`unit ${frame[6]} answered for ${open.unit}`);
      const whole = answerLength(frame, MBAP_BYTES, open);
      if (typeof whole === 'string') return broken(whole);
      if (whole !== length - 1) return broken(`a frame of ${length} bytes around an answer of ${whole}`);
      const parsed = answerOf(frame, MBAP_BYTES, whole, open);
      open = undefined;
      return parsed;
    }
  }

  return {
    encode(request) {
      transaction = nextTransaction();
      asked += 1;
      open = request;
      const length = 2 + request.body.length;
      const bytes = new Uint8Array(6 + length);
      bytes[0] = transaction >> 8;
      bytes[1] = transaction;
      bytes[5] = length; // At most 254.
      writeRequest(bytes, 6, request);
      return bytes;
    },
    push(bytes) {
      rest = append(rest, bytes);
      const parsed = parse();
      if (open || rest.length === 0) return parsed;
      parse(); // An answer that is said twice: whole frames for nobody are passed over.
      if (rest.length === 0) return parsed;
      isTorn = true;
      // Where frames do not follow each other, the answer may be one that broke off, filled up with what came next.
      return parsed.kind === 'data' ? broken('bytes after the answer that are no frame') : parsed;
    },
    get isWornOut() {
      return isTorn || (hasGivenUp && asked >= LAST_TRANSACTION);
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
 * RTU frames over a stream that can be opened anew. They carry no number: after a request was given up, or after any byte that does
 * not fit, a later answer could be anyone's, so the stream is worn out.
 */
export function createRtuFramer(): Framer {
  let open: Request | undefined;
  let isWornOut = false;
  let rest: Uint8Array = empty;

  function parse(request: Request): Parsed {
    if (rest.length >= 1 && rest[0] !== request.unit)
      return broken(`unit ${rest[0]} answered for ${request.unit}`);
    const body = answerLength(rest, 1, request);
    if (typeof body === 'string') return broken(body);
    const length = 1 + body + CRC_BYTES;
    if (body === 0 || rest.length < length) return more;
    if (rest.length > length) return broken(`${rest.length - length} bytes after the answer`);
    return crc16(rest) === 0 ? answerOf(rest, 1, body, request) : broken('check sum');
  }

  return {
    encode(request) {
      open = request;
      rest = empty;
      return rtuFrame(request);
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

/** More than two frames of the greatest length: what a line may bring between a request and its answer. */
const MOST_HEARD = 1_024;

/**
 * RTU frames on a serial line, which cannot be opened anew: what others say before the answer (a unit that was given up and speaks
 * late) is passed over. Whether an answer can be believed to be the answer to this request, and to none before it, is the
 * line's to know.
 */
export function createSerialFramer(): Framer {
  let open: Request | undefined;
  let rest: Uint8Array = empty;

  /** Looks for the answer from each byte on; a frame is one only with its check sum. */
  function parse(request: Request): Parsed {
    for (let at = 0; at < rest.length; at += 1) {
      if (rest[at] !== request.unit) continue;
      const body = answerLength(rest, at + 1, request);
      if (typeof body === 'string' || body === 0 || rest.length < at + 1 + body + CRC_BYTES) continue;
      const frame = rest.subarray(at, at + 1 + body + CRC_BYTES);
      if (crc16(frame) === 0) return answerOf(frame, 1, body, request);
      if (at === 0 && rest.length === frame.length) return broken('check sum');
    }
    return rest.length > MOST_HEARD ? broken('noise without end') : more;
  }

  return {
    encode(request) {
      open = request;
      rest = empty;
      return rtuFrame(request);
    },
    push(bytes) {
      if (!open) return more; // Nobody asked: passed over.
      rest = append(rest, bytes);
      const parsed = parse(open);
      if (parsed.kind !== 'more') open = undefined;
      return parsed;
    },
    isWornOut: false,
    giveUp() {
      open = undefined;
    },
  };
}

function rtuFrame(request: Request): Uint8Array {
  const length = 2 + request.body.length;
  const bytes = new Uint8Array(length + CRC_BYTES);
  writeRequest(bytes, 0, request);
  const crc = crc16(bytes.subarray(0, length));
  bytes[length] = crc;
  bytes[length + 1] = crc >> 8;
  return bytes;
}

function writeRequest(bytes: Uint8Array, at: number, { unit, fc, body }: Request): void {
  bytes[at] = unit;
  bytes[at + 1] = fc;
  bytes.set(body, at + 2);
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
