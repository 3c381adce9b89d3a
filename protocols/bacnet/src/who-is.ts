import { frame, pduTypes, unconfirmed } from './datagram.ts';
import { contextUnsigned } from './encode.ts';
import type { Peer } from './socket.ts';

/** Sends Who-Is to the places that are configured, and through a BBMD where there is one. */
export interface Caller {
  /** Asks for the devices of an instance window, clause 16.10. */
  whoIs(low: number, high: number): void;
}

export interface CallerDeps {
  /** An address that ends in 255 is taken for a broadcast address: it gets a broadcast, any other a message of its own. */
  readonly targets: readonly { readonly host: string; readonly port: number }[];
  readonly send: (datagram: Buffer, to: Peer) => void;
  /** The BBMD that distributes for us; undefined while there is none. */
  readonly distributor: () => Peer | undefined;
}

export function createCaller({ targets, send, distributor }: CallerDeps): Caller {
  return {
    whoIs(low, high) {
      const apdu = [
        ...[pduTypes.unconfirmed << 4, unconfirmed.whoIs],
        ...[...contextUnsigned(0, low), ...contextUnsigned(1, high)],
      ];
      for (const { host, port } of targets) {
        const datagram = host.endsWith('.255')
          ? frame(apdu, 'all networks', false, 'broadcast')
          : frame(apdu, {}, false);
        send(datagram, { address: host, port });
      }
      const bbmd = distributor();
      if (bbmd) send(frame(apdu, 'all networks', false, 'distribute'), bbmd);
    },
  };
}
