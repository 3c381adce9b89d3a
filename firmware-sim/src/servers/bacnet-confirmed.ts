import { nameOf, pdu, type Peer } from './bacnet-wire.ts';

/** A request of the device's own that nobody has acknowledged yet. */
interface Pending {
  readonly peer: Peer;
  readonly apdu: readonly number[];
  tries: number;
  nextAt: number;
}

const TRIES = 3;
const PATIENCE_MS = 1_000;

/** What a device tells and wants acknowledged: told again until it is, or three times. */
export interface ConfirmedSender {
  /** @returns the request as it goes out. */
  take(peer: Peer, service: number, data: readonly number[], t: number): readonly number[];
  /** What is due again. */
  due(t: number): readonly Pick<Pending, 'peer' | 'apdu'>[];
  /** The peer answered. */
  acknowledge(peer: Peer, invokeId: number): void;
  clear(): void;
}

export function createConfirmedSender(): ConfirmedSender {
  const pending = new Map<string, Pending>();
  let nextInvokeId = 0;
  return {
    take(peer, service, data, t) {
      nextInvokeId = (nextInvokeId + 1) & 0xff;
      const apdu = [pdu.confirmed << 4, 5, nextInvokeId, service, ...data];
      pending.set(`${nameOf(peer)} ${nextInvokeId}`, { peer, apdu, tries: 1, nextAt: t + PATIENCE_MS });
      return apdu;
    },
    due(t) {
      const due: Pending[] = [];
      for (const [key, entry] of pending) {
        if (entry.nextAt > t) continue;
        if (entry.tries >= TRIES) {
          pending.delete(key);
          continue;
        }
        entry.tries += 1;
        entry.nextAt = t + PATIENCE_MS;
        due.push(entry);
      }
      return due;
    },
    acknowledge: (peer, invokeId) => void pending.delete(`${nameOf(peer)} ${invokeId}`),
    clear: () => pending.clear(),
  };
}
