import { setTimeout as sleep } from 'node:timers/promises';
import { DriverError } from '@parkline/kit';
import type { ClientMonitoredItemGroup, ClientSubscription, RepublishResponse } from 'node-opcua-client';
import type { Monitoring, Watch } from './link.ts';
import { createSequence } from './sequence.ts';
import { readingOf, statusOf } from './convert.ts';
import type { SessionDeps } from './session.ts';

/** The server says at least this often that it is there, ms. */
const SIGN_MS = 5_000;
/** It keeps a subscription that nobody asks for this long, ms. */
const LIFE_MS = 60_000;
/** The library tells the values of a message it was handed within this time, ms. */
const DELIVERY_MS = 20;

export interface MonitorDeps extends SessionDeps {
  /** Nodes in one request. */
  readonly mostItems: number;
  /** Whether the link is broken and being mended. */
  readonly isDown: () => boolean;
}

/** A service that the session has and its type hides. */
interface Republishing {
  republish(request: {
    subscriptionId: number;
    retransmitSequenceNumber: number;
  }): Promise<RepublishResponse>;
}

/** What the library keeps to itself of a subscription. */
interface Inner {
  /** It asks again for what comes after this one when a broken link was mended. */
  lastSequenceNumber: number;
  /** Takes a message as if it had come by itself; its values are told a moment later. */
  onNotificationMessage(message: unknown): void;
}

/** Watches nodes with a subscription of their own. */
export function createMonitor(deps: MonitorDeps) {
  const { session, params, mostItems, where } = deps;
  const { publishingMs } = params;

  return async (nodeIds: readonly string[], watch: Watch): Promise<Monitoring> => {
    const subscription = await session.createSubscription2({
      requestedPublishingInterval: publishingMs,
      requestedMaxKeepAliveCount: Math.max(1, Math.round(SIGN_MS / publishingMs)),
      requestedLifetimeCount: Math.max(3, Math.round(LIFE_MS / publishingMs)),
      maxNotificationsPerPublish: 1_000,
      publishingEnabled: true,
      priority: 1,
    });
    let isClosed = false;
    const end = (why: string): void => {
      if (!isClosed) watch.onEnd(why);
    };
    watchNumbers(deps, subscription, watch);
    subscription.on('terminated', () => end('the server ended the subscription'));
    subscription.on('internal_error', (error: Error) => end(error.message));

    const close = async (): Promise<void> => {
      if (isClosed) return;
      isClosed = true;
      await subscription.terminate().catch(() => undefined); // Without a link the server forgets it by itself.
    };
    try {
      for (let at = 0; at < nodeIds.length; at += mostItems)
        await addItems(deps, subscription, nodeIds.slice(at, at + mostItems), at, watch);
    } catch (error) {
      void close();
      throw new DriverError('refused', `the server watches nothing: ${String(error)}`, where, {
        cause: error,
      });
    }
    const { publishingInterval, maxKeepAliveCount } = subscription;
    return { close, signMs: publishingInterval * maxKeepAliveCount, publishingMs: publishingInterval };
  };
}

/** Counts what the server sends and asks again for what was lost on the way; nothing goes missing without a word. */
function watchNumbers(
  { session, log, where, isDown }: MonitorDeps,
  subscription: ClientSubscription,
  watch: Watch,
): void {
  const sequence = createSequence();
  const inner = subscription as unknown as Inner;
  const library = session as unknown as Republishing;
  let isOpen = false;
  let isAsking = false;

  async function ask(): Promise<void> {
    const missing = sequence.missing();
    if (missing === 'too many') throw new Error('the server counts on with too large a leap');
    for (const retransmitSequenceNumber of missing) {
      const { subscriptionId } = subscription;
      const answer = await library.republish({ subscriptionId, retransmitSequenceNumber });
      if (answer.responseHeader.serviceResult.isNotGood())
        throw new Error(answer.responseHeader.serviceResult.name);
      inner.onNotificationMessage(answer.notificationMessage);
    }
    await sleep(DELIVERY_MS);
  }
  async function close(): Promise<void> {
    isAsking = true;
    try {
      while (sequence.missing().length > 0) await ask();
      isOpen = false;
      watch.onWhole();
    } catch (err) {
      if (isDown()) return; // Tried again when the link is mended and the next message comes.
      isOpen = false;
      log.warn({ where, err }, 'opc ua changes lost on the way, and the server has not kept them');
      watch.onWhole();
      watch.onMissed(false);
    } finally {
      isAsking = false;
    }
  }

  subscription.on('raw_notification', ({ sequenceNumber, notificationData }) => {
    const isQuiet = (notificationData?.length ?? 0) === 0;
    if (sequence.take(sequenceNumber, isQuiet) === 'anew') {
      log.warn({ where }, 'opc ua server has forgotten a subscription: it is made anew');
      watch.onMissed(true);
    }
    inner.lastSequenceNumber = sequence.complete(); // The library takes the number of a sign of life for one that came.
    watch.onSign();
    if (!isOpen && sequence.missing().length === 0) return;
    if (!isOpen) watch.onGap();
    isOpen = true;
    if (!isAsking) void close();
  });
}

/** Values may come before the server's word that it watches the nodes, so ears are open from the start. */
function addItems(
  { library, params }: MonitorDeps,
  subscription: ClientSubscription,
  nodeIds: readonly string[],
  offset: number,
  { onReading, onRefused }: Watch,
): Promise<undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const { samplingMs, queueSize } = params;
  const group: ClientMonitoredItemGroup = library.ClientMonitoredItemGroup.create(
    subscription,
    nodeIds.map((nodeId) => ({ nodeId, attributeId: library.AttributeIds.Value })),
    { samplingInterval: samplingMs, queueSize, discardOldest: true },
    library.TimestampsToReturn.Source,
  );
  group.on('changed', (_item, value, index) => onReading(offset + index, readingOf(library, value)));
  group.on('err', (message) => reject(new Error(message)));
  group.on('initialized', () => {
    group.monitoredItems.forEach(({ statusCode }, index) => {
      if (statusCode.isNotGood()) onRefused(offset + index, statusOf(statusCode));
    });
    resolve(undefined);
  });
  return promise;
}
