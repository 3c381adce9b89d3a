import { DriverError, type DriverLog } from '@parkline/kit';
import { type IAm, nameOf, parseDatagram, parseIAm, type Place } from './datagram.ts';
import type { Bind, DatagramSocket, Peer } from './socket.ts';
import { createStation, type Station } from './station.ts';
import { createCaller } from './who-is.ts';

export interface MuxDeps {
  readonly bind: Bind;
  /** Names the socket in errors. */
  readonly where: string;
  readonly whoIs: readonly { readonly host: string; readonly port: number }[];
  readonly timeoutMs: number;
  readonly log: DriverLog;
}

/** One UDP socket for all devices: what comes in goes to the station of its sender and to no other. */
export interface Mux {
  /** Names the socket in errors. */
  readonly where: string;
  /** Binds the socket if it is not. Rejects with DriverError 'lost'. */
  open(): Promise<void>;
  /** A client for the device at a place, in place of any there was. */
  station(place: Place): Station;
  /** Asks for the devices of an instance window. Their answers come to {@link Mux.onIAm}. */
  whoIs(low: number, high: number): void;
  /** @returns a function that ends it. */
  onIAm(listener: (iAm: IAm) => void): () => void;
  /** For good. Safe twice. */
  close(): Promise<void>;
}

export function createMux(deps: MuxDeps): Mux {
  const { where, log } = deps;
  const stations = new Map<string, Station>();
  const listeners = new Set<(iAm: IAm) => void>();
  let opening: Promise<DatagramSocket> | undefined;
  let socket: DatagramSocket | undefined;
  let isClosed = false;

  const send = (datagram: Buffer, to: Peer): void => socket?.send(datagram, to);
  const caller = createCaller(deps.whoIs, send);

  /** Whatever comes in, a fault of the decoder ends here: hostile datagrams cost themselves. */
  function receive(datagram: Buffer, sender: Peer): void {
    const message = parseDatagram(datagram, sender);
    if (!message) return;
    try {
      const iAm = parseIAm(message);
      if (iAm) for (const listener of listeners) listener(iAm);
      // What another station passes on in a device's name may be a broadcast, never an answer.
      else if (!message.isForwarded) stations.get(nameOf(message.from))?.receive(message.apdu);
    } catch (error) {
      log.debug({ where, from: nameOf(message.from), err: error }, 'datagram dropped');
    }
  }

  return {
    where,
    async open() {
      if (isClosed) throw new DriverError('lost', 'the connection was closed', where);
      opening ??= deps.bind(receive);
      try {
        socket = await opening;
      } catch (error) {
        opening = undefined;
        throw error;
      }
    },
    station(place) {
      const name = nameOf(place);
      stations.get(name)?.close();
      const station = createStation({
        place,
        timeoutMs: deps.timeoutMs,
        send: (datagram) => send(datagram, place),
        onClosed: () => {
          if (stations.get(name) === station) stations.delete(name);
        },
      });
      stations.set(name, station);
      return station;
    },
    whoIs: (low, high) => caller.whoIs(low, high),
    onIAm(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      for (const station of stations.values()) station.close();
      const open = await opening?.catch(() => undefined);
      socket = undefined;
      await open?.close();
    },
  };
}
