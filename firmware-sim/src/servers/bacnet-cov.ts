import type { ConfirmedSender } from './bacnet-confirmed.ts';
import { closing, context, createReader, objectOctets, opening, unsignedOctets } from './bacnet-codec.ts';
import { DEVICE, properties, type Shown, type SimObject } from './bacnet-objects.ts';
import { nameOf, pdu, type Peer, service } from './bacnet-wire.ts';

interface Subscription {
  readonly peer: Peer;
  readonly processId: number;
  readonly object: SimObject;
  readonly isConfirmed: boolean;
  /** Unix ms; Infinity for ever. */
  readonly endsAt: number;
  /** What was told last. */
  told?: Shown;
}

export interface CovDeps {
  readonly device: number;
  readonly objects: readonly SimObject[];
  readonly confirmed: ConfirmedSender;
  /** Sends a notification about an object. */
  tell(peer: Peer, apdu: readonly number[], object: SimObject, shown: Shown): void;
}

/** The change-of-value server of a device, clause 13.1. */
export interface CovServer {
  /** SubscribeCOV. @returns whether it is granted. @throws Malformed. */
  subscribe(peer: Peer, data: Buffer, t: number): boolean;
  /** Tells what has changed since it was last told, and what is new. */
  tick(t: number): void;
  readonly count: number;
  clear(): void;
}

export function createCovServer({ device, objects, confirmed, tell }: CovDeps): CovServer {
  const subscriptions = new Map<string, Subscription>();

  function notify(subscription: Subscription, shown: Shown, t: number): void {
    const { peer, isConfirmed, object } = subscription;
    subscription.told = shown;
    const data = notification(device, subscription, shown, t);
    const apdu = isConfirmed
      ? confirmed.take(peer, service.confirmedCov, data, t)
      : [pdu.unconfirmed << 4, service.unconfirmedCov, ...data];
    tell(peer, apdu, object, shown);
  }

  return {
    subscribe(peer, data, t) {
      const reader = createReader(data);
      const processId = reader.unsigned(0);
      const asked = reader.object(1);
      const isCancel = reader.isAtEnd;
      const isConfirmed = reader.hasContext(2) && reader.unsigned(2) !== 0;
      const lifetimeS = reader.hasContext(3) ? reader.unsigned(3) : 0;
      const object = objects.find(({ type, instance }) => type === asked.type && instance === asked.instance);
      if (!object?.show) return false;
      const key = `${nameOf(peer)} ${processId} ${asked.type},${asked.instance}`;
      const endsAt = lifetimeS === 0 ? Infinity : t + lifetimeS * 1_000;
      if (isCancel) subscriptions.delete(key);
      else subscriptions.set(key, { peer, processId, object, isConfirmed, endsAt });
      return true;
    },
    tick(t) {
      for (const [key, subscription] of subscriptions) {
        if (subscription.endsAt <= t) {
          subscriptions.delete(key);
          continue;
        }
        const shown = subscription.object.show!(t);
        if (isNews(subscription, shown)) notify(subscription, shown, t);
      }
    },
    get count() {
      return subscriptions.size;
    },
    clear: () => subscriptions.clear(),
  };
}

/** A change of the status flags, or of the value by at least the increment, clause 13.1 and table 13-1. */
function isNews({ told, object }: Subscription, shown: Shown): boolean {
  if (!told || String(told.statusFlags) !== String(shown.statusFlags)) return true;
  if (told.value === null || shown.value === null) return told.value !== shown.value;
  if (told.value === shown.value) return false;
  const increment = object.row?.analog?.increment ?? 0;
  // 21.4 - 21.2 is a hair less than 0.2 in binary fractions.
  return Math.abs(told.value - shown.value) >= increment - 1e-9;
}

function notification(
  device: number,
  { processId, object, endsAt }: Subscription,
  { presentValue, statusFlags }: Shown,
  t: number,
): number[] {
  const remainingS = endsAt === Infinity ? 0 : Math.max(1, Math.ceil((endsAt - t) / 1_000));
  const value = (id: number, octets: readonly number[]): number[] => [
    ...context(0, unsignedOctets(id)),
    ...[opening(2), ...octets, closing(2)],
  ];
  return [
    ...context(0, unsignedOctets(processId)),
    ...context(1, objectOctets(DEVICE, device)),
    ...context(2, objectOctets(object.type, object.instance)),
    ...context(3, unsignedOctets(remainingS)),
    opening(4),
    ...value(properties.presentValue, presentValue),
    ...value(properties.statusFlags, statusFlags),
    closing(4),
  ];
}
