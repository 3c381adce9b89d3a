import { frame, pduTypes, unconfirmed } from './datagram.ts';
import { contextUnsigned } from './encode.ts';
import type { Peer } from './socket.ts';

/** Sends Who-Is to the places that are configured, and through a BBMD where there is one. */
export interface Caller {
  /**
   * Asks for the devices of an instance window, clause 16.10.
   * @param isAgain The second time a single station is asked in words that a router passes on to the networks behind it; at first
   * in those that the plainest device reads.
   */
  whoIs(low: number, high: number, isAgain: boolean): void;
}

export interface CallerDeps {
  /** An address that ends in 255 is taken for a broadcast address: it gets a broadcast, any other messages of its own. */
  readonly targets: readonly { readonly host: string; readonly port: number }[];
  readonly send: (datagram: Buffer, to: Peer) => void;
  /** The BBMD that distributes for us; undefined while there is none. */
  readonly distributor: () => Peer | undefined;
}

export function createCaller({ targets, send, distributor }: CallerDeps): Caller {
  return {
    whoIs(low, high, isAgain) {
      const apdu = [
        ...[pduTypes.unconfirmed << 4, unconfirmed.whoIs],
        ...[...contextUnsigned(0, low), ...contextUnsigned(1, high)],
      ];
      for (const { host, port } of targets) {
        const isBroadcast = host.endsWith('.255');
        const way = isBroadcast || isAgain ? 'all networks' : {};
        send(frame(apdu, way, false, isBroadcast ? 'broadcast' : 'one'), { address: host, port });
      }
      const bbmd = distributor();
      if (bbmd) send(frame(apdu, 'all networks', false, 'distribute'), bbmd);
    },
  };
}
