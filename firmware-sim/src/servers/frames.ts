import type { Transport } from '../park.ts';

/** A request as it came off the wire: function code and what follows it, without unit and check sum. */
export interface Request {
  readonly transaction: number;
  readonly unit: number;
  readonly pdu: Buffer;
}

/** Cuts a byte stream into requests. Bytes may come torn or merged. */
export interface Cutter {
  /** @returns whole requests, or 'broken' when a real device would drop the connection. */
  push(bytes: Buffer): Request[] | 'broken';
}

export function createCutter(transport: Transport): Cutter {
  return transport === 'tcp' ? createMbapCutter() : createRtuCutter();
}

function createMbapCutter(): Cutter {
  let rest: Buffer = Buffer.alloc(0);
  return {
    push(bytes) {
      rest = Buffer.concat([rest, bytes]);
      const requests: Request[] = [];
      while (rest.length >= 8) {
        const length = rest.readUInt16BE(4);
        if (rest.readUInt16BE(2) !== 0 || length < 2 || length > 254) return 'broken';
        if (rest.length < 6 + length) break;
        requests.push({
          transaction: rest.readUInt16BE(0),
          unit: rest[6]!,
          pdu: rest.subarray(7, 6 + length),
        });
        rest = rest.subarray(6 + length);
      }
      return requests;
    },
  };
}

/** A slave on a line knows no lengths but those of the functions: what does not check is dropped whole, as after a pause. */
function createRtuCutter(): Cutter {
  let rest: Buffer = Buffer.alloc(0);
  return {
    push(bytes) {
      rest = Buffer.concat([rest, bytes]);
      const requests: Request[] = [];
      while (rest.length >= 4) {
        const length = requestLength(rest);
        if (rest.length < length) break;
        if (crc16(rest.subarray(0, length)) !== 0) {
          rest = Buffer.alloc(0);
          break;
        }
        requests.push({ transaction: 0, unit: rest[0]!, pdu: rest.subarray(1, length - 2) });
        rest = rest.subarray(length);
      }
      return requests;
    },
  };
}

/** Bytes of the request that `rest` begins with, at least four of which are there; unit and check sum included. */
function requestLength(rest: Buffer): number {
  switch (rest[1]) {
    case 15:
    case 16:
      return rest.length < 7 ? 9 : 9 + rest[6]!;
    case 17:
      return 4;
    case 22:
      return 10;
    case 43:
      return 7;
    default:
      return 8;
  }
}

/** The reply frame for `request`; `unit` may differ from the request's when a fault asks for it. */
export function frameReply(transport: Transport, request: Request, pdu: Buffer, unit = request.unit): Buffer {
  if (transport === 'rtu-over-tcp') {
    const body = Buffer.concat([Buffer.of(unit), pdu]);
    const check = Buffer.alloc(2);
    check.writeUInt16LE(crc16(body));
    return Buffer.concat([body, check]);
  }
  const head = Buffer.alloc(7);
  head.writeUInt16BE(request.transaction, 0);
  head.writeUInt16BE(pdu.length + 1, 4);
  head[6] = unit;
  return Buffer.concat([head, pdu]);
}

/** Modbus over serial line, clause 2.5.1.2. Zero over a frame that carries its own check sum. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}
