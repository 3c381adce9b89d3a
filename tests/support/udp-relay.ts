import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

interface Place {
  readonly address: string;
  readonly port: number;
}

/** An address on loopback behind which a BACnet device lives: the one it is given, until it is given another. */
export interface UdpRelay {
  readonly place: { readonly host: string; readonly port: number };
  /** Changes what comes back from the device; undefined drops it. */
  bend: ((datagram: Buffer) => Buffer | undefined) | undefined;
  /** Hears what goes to the device. */
  overhear: ((datagram: Buffer) => void) | undefined;
  /** The devices behind this address and another change places. */
  exchange(other: UdpRelay): void;
  /** Says something to who asked last, from this address. */
  say(datagram: Buffer): void;
  stop(): Promise<void>;
}

/** What {@link createUdpRelay} keeps to itself. */
interface Inside extends UdpRelay {
  /** Where Who-Is is heard, and where the device answered from. */
  target: { bus: Place; device?: Place };
}

/** @param bus Where a Who-Is reaches the device. */
export async function createUdpRelay(bus: { host: string; port: number }): Promise<UdpRelay> {
  const [front, back] = await Promise.all([bound(), bound()]);
  let asker: Place | undefined;
  const relay: Inside = {
    place: { host: '127.0.0.1', port: front.address().port },
    bend: undefined,
    overhear: undefined,
    target: { bus: { address: bus.host, port: bus.port } },
    exchange(other) {
      const theirs = other as Inside;
      [relay.target, theirs.target] = [theirs.target, relay.target];
    },
    say: (datagram) => void (asker && front.send(datagram, asker.port, asker.address)),
    stop: async () => {
      await Promise.all([front, back].map((socket) => new Promise<void>((done) => void socket.close(done))));
    },
  };
  front.on('message', (datagram, from) => {
    asker = from;
    relay.overhear?.(datagram);
    const isWhoIs = datagram[6] === 0x10 && datagram[7] === 0x08;
    const to = isWhoIs ? relay.target.bus : relay.target.device;
    if (to) back.send(datagram, to.port, to.address);
  });
  back.on('message', (datagram, from) => {
    relay.target.device = from;
    const told = relay.bend ? relay.bend(datagram) : datagram;
    if (told) relay.say(told);
  });
  return relay;
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
