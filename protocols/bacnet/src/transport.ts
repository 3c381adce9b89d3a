import { EventEmitter } from 'node:events';

/** What the library's client needs of a network: it emits 'message' (datagram, 'address:port'). */
export interface Transport extends EventEmitter {
  /** @param receiver 'address:port', or undefined for a broadcast. */
  send(buffer: Buffer, length: number, receiver?: string): void;
  open(): void;
  close(): void;
  getBroadcastAddress(): string;
  getMaxPayload(): number;
}

/** A transport that owns no socket. @param send Gets a copy of each datagram: the client's buffer may change. */
export function createTransport(send: (datagram: Buffer, receiver: string | undefined) => void): Transport {
  return Object.assign(new EventEmitter(), {
    send: (buffer: Buffer, length: number, receiver?: string) =>
      send(Buffer.from(buffer.subarray(0, length)), receiver),
    open: () => undefined,
    close: () => undefined,
    getBroadcastAddress: () => '255.255.255.255',
    getMaxPayload: () => 1_482,
  });
}
