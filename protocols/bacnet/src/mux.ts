import { lookup } from 'node:dns/promises';
import { DriverError, type DriverLog } from '@parkline/kit';
import { type IAm, nameOf, parseDatagram, parseIAm, type Place, pduTypes } from './datagram.ts';
import { createForeignRegistration, type ForeignRegistration } from './foreign.ts';
import type { Bind, DatagramSocket, Peer } from './socket.ts';
import { createStation, type Station } from './station.ts';
import { createCaller } from './who-is.ts';

export interface MuxDeps {
  readonly bind: Bind;
  /** Names the socket in errors. */
  readonly where: string;
  readonly whoIs: readonly { readonly host: string; readonly port: number }[];
  /** Where to register as a foreign device. */
  readonly bbmd?: { readonly host: string; readonly port: number; readonly ttlS: number } | undefined;
  readonly timeoutMs: number;
  readonly log: DriverLog;
}

/** One UDP socket for all devices: what comes in goes to the station of its sender and to no other. */
export interface Mux {
  /** Names the socket in errors. */
  readonly where: string;
  /** Port of the socket; undefined until it is open. */
  readonly port: number | undefined;
  /** Why broadcasts may not reach the devices, for a person. */
  readonly trouble: string | undefined;
  /** Binds the socket if it is not, and registers with the BBMD. Rejects with DriverError 'lost'. */
  open(): Promise<void>;
  /** A client for the device at a place, in place of any there was. */
  station(place: Place): Station;
  /** Asks for the devices of an instance window, a second time with `isAgain`. Their answers come to {@link Mux.onIAm}. */
  whoIs(low: number, high: number, isAgain?: boolean): void;
  /** @returns a function that ends it. */
  onIAm(listener: (iAm: IAm) => void): () => void;
  /** For good. Safe twice. */
  close(): Promise<void>;
}

export function createMux(deps: MuxDeps): Mux {
  const { where, log, timeoutMs } = deps;
  const stations = new Map<string, Station>();
  const listeners = new Set<(iAm: IAm) => void>();
  let opening: Promise<void> | undefined;
  let socket: DatagramSocket | undefined;
  let bbmd: Peer | undefined;
  let foreign: ForeignRegistration | undefined;
  let isClosed = false;

  const send = (datagram: Buffer, to: Peer): void => socket?.send(datagram, to);
  const distributor = () => (foreign?.isRegistered ? bbmd : undefined);
  const caller = createCaller({ targets: deps.whoIs, send, distributor });

  /** Whatever comes in, a fault of the decoder ends here: hostile datagrams cost themselves. */
  function receive(datagram: Buffer, sender: Peer): void {
    const isBbmd = sender.address === bbmd?.address && sender.port === bbmd.port;
    if (isBbmd && foreign?.hear(datagram)) return;
    const message = parseDatagram(datagram, sender);
    if (!message) return;
    const { apdu, from, isForwarded } = message;
    try {
      const iAm = parseIAm(message);
      // What another station passes on in a device's name may be a broadcast, never an answer.
      const isHeard = !isForwarded || apdu[0]! >> 4 === pduTypes.unconfirmed;
      if (iAm) for (const listener of listeners) listener(iAm);
      else if (isHeard) stations.get(nameOf(from))?.receive(apdu);
    } catch (error) {
      log.debug({ where, from: nameOf(from), err: error }, 'datagram dropped');
    }
  }

  async function bind(): Promise<void> {
    socket = await deps.bind(receive);
    if (!deps.bbmd) return;
    const { host, port, ttlS } = deps.bbmd;
    bbmd = { address: await addressOf(host, where), port };
    foreign = createForeignRegistration({ bbmd, ttlS, timeoutMs, send, log });
    if (!isClosed) await foreign.start();
  }

  return {
    where,
    get port() {
      return socket?.port;
    },
    get trouble() {
      return foreign?.trouble;
    },
    async open() {
      if (isClosed) throw new DriverError('lost', 'the connection was closed', where);
      opening ??= bind();
      try {
        await opening;
      } catch (error) {
        opening = undefined;
        await socket?.close();
        socket = undefined;
        throw error;
      }
    },
    station(place) {
      const name = nameOf(place);
      stations.get(name)?.close();
      const station = createStation({
        place,
        timeoutMs,
        send: (datagram) => send(datagram, place),
        onClosed: () => {
          if (stations.get(name) === station) stations.delete(name);
        },
      });
      stations.set(name, station);
      return station;
    },
    whoIs: (low, high, isAgain = false) => caller.whoIs(low, high, isAgain),
    onIAm(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      foreign?.stop();
      for (const station of stations.values()) station.close();
      await opening?.catch(() => undefined);
      foreign?.stop();
      await socket?.close();
      socket = undefined;
    },
  };
}

/** What the BBMD sends is known by its IP address. Rejects with DriverError 'lost' for a name that nobody knows. */
async function addressOf(host: string, where: string): Promise<string> {
  try {
    return (await lookup(host, 4)).address;
  } catch (error) {
    throw new DriverError('lost', `no address for the BBMD '${host}'; name it by its IP address`, where, {
      cause: error,
    });
  }
}
