import { nameOf, type Peer } from './bacnet-wire.ts';

/** A BACnet broadcast management device: carries broadcasts to and from foreign devices. Annex J, clauses J.4 and J.5. */
export interface Bbmd {
  /** Instances of registered foreign devices, 'address:port'. */
  registered(): readonly string[];
  /** How often somebody registered, renewals included. */
  readonly registrations: number;
  /** Loses its table, as at a restart. */
  forget(): void;
  /** Whether registrations are refused. */
  isClosed: boolean;
}

export interface BbmdDeps {
  readonly now: () => number;
  readonly send: (datagram: Buffer, to: Peer) => void;
  /** A broadcast on the BBMD's own network, from a foreign device. @param npdu Network layer on. */
  readonly broadcast: (npdu: Buffer, from: Peer) => void;
}

const functions = { result: 0x00, forwarded: 0x04, register: 0x05, distribute: 0x09 } as const;
const results = { done: 0x0000, registerRefused: 0x0030, distributeRefused: 0x0060 } as const;
/** Seconds that an entry outlives its time to live. */
const GRACE_S = 30;

/** @returns the BBMD, and its ear: whether a datagram was meant for it. */
export function createBbmd(deps: BbmdDeps) {
  const table = new Map<string, { readonly peer: Peer; readonly endsAt: number }>();
  const result = (code: number, to: Peer): void =>
    deps.send(Buffer.from([0x81, functions.result, 0, 6, code >> 8, code & 0xff]), to);
  const living = () => [...table].filter(([, { endsAt }]) => endsAt > deps.now());
  const counter = { registrations: 0 };

  const bbmd: Bbmd = {
    registered: () => living().map(([name]) => name),
    get registrations() {
      return counter.registrations;
    },
    forget: () => table.clear(),
    isClosed: false,
  };
  return {
    bbmd,
    hear(datagram: Buffer, peer: Peer): boolean {
      if (datagram[0] !== 0x81 || datagram.length < 6) return false;
      if (datagram[1] === functions.register) {
        if (bbmd.isClosed) result(results.registerRefused, peer);
        else {
          const endsAt = deps.now() + (datagram.readUInt16BE(4) + GRACE_S) * 1_000;
          table.set(nameOf(peer), { peer, endsAt });
          counter.registrations += 1;
          result(results.done, peer);
        }
        return true;
      }
      if (datagram[1] !== functions.distribute) return false;
      if (bbmd.registered().includes(nameOf(peer))) deps.broadcast(datagram.subarray(4), peer);
      else result(results.distributeRefused, peer);
      return true;
    },
    /** A broadcast of a device on the BBMD's own network, to all foreign devices. */
    carry(npdu: Buffer, from: Peer): void {
      const length = npdu.length + 10;
      const head = [
        0x81,
        functions.forwarded,
        length >> 8,
        length & 0xff,
        ...from.address.split('.').map(Number),
      ];
      const datagram = Buffer.concat([Buffer.from([...head, from.port >> 8, from.port & 0xff]), npdu]);
      for (const [, { peer }] of living()) deps.send(datagram, peer);
    },
  };
}
