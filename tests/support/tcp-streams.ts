import { packetsOf } from './pcap.ts';

/** What one side of a TCP connection sent, in the order it was sent. */
export interface TcpStream {
  readonly fromPort: number;
  readonly toPort: number;
  readonly chunks: readonly Buffer[];
}

interface Segment {
  readonly fromPort: number;
  readonly toPort: number;
  readonly seq: number;
  readonly payload: Buffer;
}

/** The two sides of every TCP connection in a capture of a loopback device (link type 0), IPv4 or IPv6; repeats left out. */
export function tcpStreamsIn(file: Buffer): TcpStream[] {
  const streams = new Map<string, { fromPort: number; toPort: number; next: number; chunks: Buffer[] }>();
  for (const { data } of packetsOf(file)) {
    const segment = segmentIn(data);
    if (!segment || segment.payload.length === 0) continue;
    const { fromPort, toPort, seq, payload } = segment;
    const key = `${fromPort} ${toPort}`;
    const stream = streams.get(key) ?? { fromPort, toPort, next: seq, chunks: [] };
    streams.set(key, stream);
    if (seq !== stream.next) continue; // Loopback keeps the order: anything else was sent before.
    stream.chunks.push(payload);
    stream.next = (seq + payload.length) >>> 0;
  }
  return [...streams.values()];
}

/** After the four octets of the address family. */
function segmentIn(data: Buffer): Segment | undefined {
  const ip = data.subarray(4);
  const version = ip[0]! >> 4;
  if (ip[version === 4 ? 9 : 6] !== 6) return undefined;
  const [head, end] = version === 4 ? [(ip[0]! & 15) * 4, ip.readUInt16BE(2)] : [40, 40 + ip.readUInt16BE(4)];
  const tcp = ip.subarray(head, end);
  return {
    fromPort: tcp.readUInt16BE(0),
    toPort: tcp.readUInt16BE(2),
    seq: tcp.readUInt32BE(4),
    payload: tcp.subarray((tcp[12]! >> 4) * 4),
  };
}
