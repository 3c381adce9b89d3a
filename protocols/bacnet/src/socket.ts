import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { DriverError, type DriverLog } from '@parkline/kit';

export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** A bound UDP socket. */
export interface DatagramSocket {
  /** Port it is bound to. */
  readonly port: number;
  /** What cannot be sent is lost like any datagram on its way. */
  send(datagram: Buffer, to: Peer): void;
  close(): Promise<void>;
}

/** Binds a socket. Rejects with DriverError 'lost'. */
export type Bind = (receive: (datagram: Buffer, from: Peer) => void) => Promise<DatagramSocket>;

export interface UdpDeps {
  readonly host: string;
  readonly port: number;
  readonly log: DriverLog;
}

export const udpName = ({ host, port }: Pick<UdpDeps, 'host' | 'port'>): string => `udp ${host}:${port}`;

/** Sockets of this machine. */
export function createUdpBind({ host, port, log }: UdpDeps): Bind {
  const where = udpName({ host, port });
  return async (receive) => {
    // Without reuse of the address a second program on the port is an error, not a thief of answers.
    const socket = createSocket({ type: 'udp4', reuseAddr: false });
    try {
      socket.bind(port, host);
      await once(socket, 'listening');
    } catch (error) {
      socket.close();
      const why = error instanceof Error ? error.message : String(error);
      const advice = `cannot bind the socket: ${why}; end the program that has the port, or name another`;
      throw new DriverError('lost', advice, where, { cause: error });
    }
    socket.setBroadcast(true);
    socket.on('error', (error) => log.warn({ where, err: error }, 'socket error'));
    socket.on('message', receive);
    return {
      port: socket.address().port,
      send: (datagram, to) =>
        socket.send(datagram, to.port, to.address, (error) => {
          if (error) log.debug({ where, to: `${to.address}:${to.port}`, err: error }, 'datagram not sent');
        }),
      close: () => new Promise((resolve) => void socket.close(() => resolve())),
    };
  };
}

/** The address of ours that a peer sees: that of the interface the way to it leads over. Rejects where there is no way. */
export async function ownAddressTowards(peer: Peer): Promise<string> {
  const socket = createSocket('udp4');
  try {
    socket.connect(peer.port, peer.address);
    await once(socket, 'connect');
    return socket.address().address;
  } finally {
    socket.close();
  }
}
