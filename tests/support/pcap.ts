/** A packet of a capture: time in Unix ms (fractions kept), and its octets from the link layer up. */
export interface Packet {
  readonly at: number;
  readonly data: Buffer;
  /** 1 Ethernet, 101 raw IP, 113 Linux cooked. */
  readonly linkType: number;
}

/** What TCP or UDP carried. */
export interface Transported {
  readonly protocol: 'tcp' | 'udp';
  readonly from: { readonly address: string; readonly port: number };
  readonly to: { readonly address: string; readonly port: number };
  readonly payload: Buffer;
  readonly at: number;
}

/** The packets of a capture file, pcap or pcapng, in order. @throws Error for anything else. */
export function packetsOf(file: Buffer): Packet[] {
  const magic = file.readUInt32BE(0);
  if (magic === 0x0a0d0d0a) return pcapng(file);
  const isLittle = [0xd4c3b2a1, 0x4d3cb2a1].includes(magic);
  if (!isLittle && ![0xa1b2c3d4, 0xa1b23c4d].includes(magic)) throw new Error('neither pcap nor pcapng');
  return pcap(file, isLittle, [0x4d3cb2a1, 0xa1b23c4d].includes(magic) ? 1e6 : 1e3);
}

/** The packets that carry TCP or UDP over IPv4, fragments left out. */
export function transportedIn(file: Buffer): Transported[] {
  return packetsOf(file).flatMap(({ at, data, linkType }) => {
    const ip = ipIn(data, linkType);
    const found = ip && transported(ip);
    return found ? [{ ...found, at }] : [];
  });
}

/** @param perMs Fractions of a ms in the second field of a time. */
function pcap(file: Buffer, isLittle: boolean, perMs: number): Packet[] {
  const word = (at: number): number => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const linkType = word(20) & 0xffff;
  const packets: Packet[] = [];
  for (let at = 24; at + 16 <= file.length;) {
    const data = file.subarray(at + 16, at + 16 + word(at + 8));
    packets.push({ at: word(at) * 1_000 + word(at + 4) / perMs, data, linkType });
    at += 16 + word(at + 8);
  }
  return packets;
}

/** Enhanced packet blocks; times in µs, as every writer has them that says nothing else. */
function pcapng(file: Buffer): Packet[] {
  const isLittle = file.readUInt32LE(8) === 0x1a2b3c4d;
  const word = (at: number): number => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const half = (at: number): number => (isLittle ? file.readUInt16LE(at) : file.readUInt16BE(at));
  const linkTypes: number[] = [];
  const packets: Packet[] = [];
  for (let at = 0; at + 12 <= file.length; at += word(at + 4)) {
    const [kind, length] = [word(at), word(at + 4)];
    if (length < 12) throw new Error(`a block of ${length} octets`);
    if (kind === 1) linkTypes.push(half(at + 8));
    if (kind !== 6) continue;
    const us = word(at + 12) * 2 ** 32 + word(at + 16);
    const data = file.subarray(at + 28, at + 28 + word(at + 20));
    packets.push({ at: us / 1_000, data, linkType: linkTypes[word(at + 8)] ?? 1 });
  }
  return packets;
}

function ipIn(data: Buffer, linkType: number): Buffer | undefined {
  let at = linkType === 101 ? 0 : linkType === 113 ? 16 : 14;
  if (at > data.length) return undefined;
  let type = at === 0 ? 0x0800 : data.readUInt16BE(at - 2);
  for (; type === 0x8100 && at + 4 <= data.length; at += 4) type = data.readUInt16BE(at + 2); // VLAN tags.
  const isIp = type === 0x0800 && data.length >= at + 20 && data[at]! >> 4 === 4;
  return isIp ? data.subarray(at, at + data.readUInt16BE(at + 2)) : undefined;
}

function transported(ip: Buffer): Omit<Transported, 'at'> | undefined {
  const [head, number] = [(ip[0]! & 15) * 4, ip[9]];
  const isFragment = (ip.readUInt16BE(6) & 0x3fff) !== 0;
  if (isFragment || (number !== 6 && number !== 17) || ip.length < head + 8) return undefined;
  const segment = ip.subarray(head);
  const place = (address: Buffer, port: number) => ({ address: address.join('.'), port });
  return {
    protocol: number === 6 ? 'tcp' : 'udp',
    from: place(ip.subarray(12, 16), segment.readUInt16BE(0)),
    to: place(ip.subarray(16, 20), segment.readUInt16BE(2)),
    payload: number === 6 ? segment.subarray((segment[12]! >> 4) * 4) : segment.subarray(8),
  };
}
