import { nameOf, pdu, type Peer } from './bacnet-wire.ts';

/** Segments in flight before the next acknowledgement, as we propose it. */
const WINDOW = 4;
const PATIENCE_MS = 1_000;
const TRIES = 3;

interface Transfer {
  readonly peer: Peer;
  readonly segments: readonly (readonly number[])[];
  /** First segment that is not acknowledged. */
  next: number;
  window: number;
  tries: number;
  timer: NodeJS.Timeout;
}

/** Sends answers that are longer than one message, clause 5.4.5.4: the first segment alone, then by windows. */
export interface SegmentSender {
  /** @param apdu A ComplexACK without segmentation. @param maxApdu Longest message, octets. */
  send(peer: Peer, apdu: readonly number[], maxApdu: number): void;
  /** @param apdu A SegmentACK from the peer. */
  acknowledge(peer: Peer, apdu: Buffer): void;
  /** Forgets every transfer. */
  clear(): void;
}

export function createSegmentSender(tell: (peer: Peer, apdu: readonly number[]) => void): SegmentSender {
  const transfers = new Map<string, Transfer>();
  const keyOf = (peer: Peer, invokeId: number): string => `${nameOf(peer)} ${invokeId}`;

  function end(key: string): void {
    clearTimeout(transfers.get(key)?.timer);
    transfers.delete(key);
  }

  function sendWindow(key: string, transfer: Transfer): void {
    clearTimeout(transfer.timer);
    const { peer, segments, next, window } = transfer;
    for (const segment of segments.slice(next, next + window)) tell(peer, segment);
    transfer.timer = setTimeout(() => {
      transfer.tries += 1;
      if (transfer.tries < TRIES) sendWindow(key, transfer);
      else end(key);
    }, PATIENCE_MS);
  }

  return {
    send(peer, [, invokeId = 0, service = 0, ...data], maxApdu) {
      const key = keyOf(peer, invokeId);
      end(key);
      const room = maxApdu - 5;
      const count = Math.ceil(data.length / room);
      const segments = Array.from({ length: count }, (_, n) => {
        const isLast = n === count - 1;
        const type = (pdu.complexAck << 4) | 8 | (isLast ? 0 : 4);
        return [type, invokeId, n & 0xff, WINDOW, service, ...data.slice(n * room, (n + 1) * room)];
      });
      const transfer = { peer, segments, next: 0, window: 1, tries: 0, timer: setTimeout(() => undefined) };
      transfers.set(key, transfer);
      sendWindow(key, transfer);
    },
    acknowledge(peer, apdu) {
      const key = keyOf(peer, apdu[1] ?? -1);
      const transfer = transfers.get(key);
      if (!transfer || apdu.length < 4) return;
      // The number counts modulo 256; it can only mean a segment of the window that is open.
      const ahead = (apdu[2]! - (transfer.next & 0xff) + 256 + 1) & 0xff;
      if (ahead > transfer.window) return;
      transfer.next += ahead;
      transfer.window = Math.max(1, Math.min(apdu[3]!, WINDOW));
      transfer.tries = 0;
      if (transfer.next >= transfer.segments.length) end(key);
      else sendWindow(key, transfer);
    },
    clear() {
      for (const key of [...transfers.keys()]) end(key);
    },
  };
}
