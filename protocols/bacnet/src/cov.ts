import { DriverError, type DriverLog, type PointRef, type Sample } from '@parkline/kit';
import { type Address, type ObjectId, properties } from './address.ts';
import { subscribeCov } from './cov-service.ts';
import type { Link } from './link.ts';
import { isUnknownService, Refusal } from './refusal.ts';
import { isSame } from './read-property.ts';
import type { Notification } from './station.ts';
import { flagsOf, verdictOf } from './value.ts';
import { createWake } from './wake.ts';

export interface CovDeps {
  readonly link: Link;
  readonly isConfirmed: boolean;
  readonly lifetimeS: number;
  /** For taking leave, ms. */
  readonly timeoutMs: number;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: DriverLog;
}

export interface CovPoint {
  readonly ref: PointRef;
  readonly address: Address;
}

/** One subscription: an object and the points that show its value. */
interface Subscription extends ObjectId {
  /** Of its own for each, so that a notification names its object twice. */
  readonly processId: number;
  readonly refs: readonly PointRef[];
  /** The device granted it last time. */
  isGranted: boolean;
}

const RETRY_MS = { least: 200, most: 10_000 };

/**
 * Subscribes to changes of present values (clause 13.14) until `signal` aborts: renews at half the lifetime, at once when the
 * device has returned, and again and again while it is lost. What the device does not grant is left to polling.
 * Rejects with DriverError 'lost' when the device was closed.
 */
export async function runCov(
  deps: CovDeps,
  points: readonly CovPoint[],
  onSample: (sample: Sample) => void,
  signal: AbortSignal,
): Promise<void> {
  const { link, lifetimeS, now } = deps;
  const subscriptions = subscriptionsOf(points, deps.random);
  const wake = createWake(signal);
  const ends = [
    link.onReturn(wake.now),
    link.onNotification((notification) => {
      // Subscribing again makes the device tell what is.
      if (notification.isAgain && foundIn(subscriptions, notification)) wake.now();
      return tell(subscriptions, notification, now(), onSample);
    }),
  ];
  const halfMs = lifetimeS * 500;
  const retryMs = Math.min(RETRY_MS.most, Math.max(RETRY_MS.least, halfMs / 4));
  let unanswered = 0;
  try {
    while (!signal.aborted) {
      const state = await renew(deps, subscriptions, signal);
      unanswered = state === 'unanswered' ? unanswered + 1 : 0;
      const pauses = {
        renewed: halfMs,
        lost: retryMs,
        unanswered: Math.min(halfMs, retryMs * 2 ** (unanswered - 1)),
        none: undefined,
      };
      await wake.after(pauses[state]);
    }
  } finally {
    for (const end of ends) end();
  }
  await leave(deps, subscriptions);
}

/**
 * @returns 'none' when the device knows no subscriptions at all, 'lost' when nobody is there, 'unanswered' when the device is there
 * and does not say: to ask it often would cost its reads their turn.
 */
async function renew(
  { link, isConfirmed, lifetimeS, log }: CovDeps,
  subscriptions: readonly Subscription[],
  signal: AbortSignal,
): Promise<'renewed' | 'lost' | 'unanswered' | 'none'> {
  for (const subscription of subscriptions) {
    const { processId } = subscription;
    try {
      await link.ask(
        (station) => subscribeCov(station, subscription, processId, isConfirmed, lifetimeS),
        signal,
      );
      subscription.isGranted = true;
    } catch (error) {
      subscription.isGranted = false;
      if (!(error instanceof Refusal)) {
        const isLost = error instanceof DriverError && error.code === 'lost';
        if (isLost && link.isClosed) throw error;
        return isLost ? 'lost' : 'unanswered';
      }
      log.debug({ where: link.where, object: subscription, err: error }, 'subscription refused');
      if (isUnknownService(error)) return 'none';
    }
  }
  // What was refused may be granted when others have let go of theirs.
  return subscriptions.length > 0 ? 'renewed' : 'none';
}

/** Cancels what is granted, as long as the device answers at once; the rest lapses by itself. */
async function leave({ link, timeoutMs }: CovDeps, subscriptions: readonly Subscription[]): Promise<void> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    for (const subscription of subscriptions.filter(({ isGranted }) => isGranted))
      await link.ask(
        (station) => subscribeCov(station, subscription, subscription.processId, false, 0),
        limit,
      );
  } catch (error) {
    if (!(error instanceof DriverError) && !(error instanceof Refusal)) throw error;
  }
}

function subscriptionsOf(points: readonly CovPoint[], random: () => number): Subscription[] {
  // Of every run its own, so that what an earlier one subscribed is not taken for ours.
  const first = 1 + Math.floor(random() * 0x3f_0000);
  const subscriptions: Subscription[] = [];
  for (const { ref, address } of points) {
    if (address.property !== properties['present-value'] || address.index !== undefined) continue; // Only present values are told; the others are polled.
    const known = subscriptions.findIndex((subscription) => isSame(subscription, address));
    const { type, instance } = address;
    if (known < 0) {
      const processId = first + subscriptions.length * 257;
      subscriptions.push({ type, instance, processId, refs: [ref], isGranted: false });
    } else {
      const old = subscriptions[known]!;
      subscriptions[known] = { ...old, refs: [...old.refs, ref] };
    }
  }
  return subscriptions;
}

function foundIn(
  subscriptions: readonly Subscription[],
  { processId, object }: Notification,
): Subscription | undefined {
  const found = subscriptions.find((subscription) => subscription.processId === processId);
  return found && isSame(found, object) ? found : undefined;
}

/** @returns whether the notification is one of ours. */
function tell(
  subscriptions: readonly Subscription[],
  notification: Notification,
  at: number,
  onSample: (sample: Sample) => void,
): boolean {
  const { values, isAgain } = notification;
  const found = foundIn(subscriptions, notification);
  if (!found) return false;
  if (isAgain) return true;
  const valueOf = (id: number) => values.find(({ property }) => property === id)?.value;
  const value = valueOf(properties['present-value']);
  if (!value) return true;
  const flags = flagsOf(valueOf(properties['status-flags']));
  for (const ref of found.refs)
    onSample({ pointId: ref.pointId, at, beganAt: at, ...verdictOf(value, ref, flags) });
  return true;
}
