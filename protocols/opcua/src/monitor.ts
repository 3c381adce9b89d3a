import { DriverError } from '@parkline/kit';
import type { ClientMonitoredItemGroup, ClientSubscription } from 'node-opcua-client';
import type { Monitoring, Watch } from './link.ts';
import { readingOf, type SessionDeps, statusOf } from './session.ts';

/** The server says at least this often that it is there, ms. */
const SIGN_MS = 5_000;
/** It keeps a subscription that nobody asks for this long, ms. */
const LIFE_MS = 60_000;

export interface MonitorDeps extends SessionDeps {
  /** Nodes in one request. */
  readonly mostItems: number;
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
    subscription.on('keepalive', watch.onSign);
    subscription.on('raw_notification', watch.onSign);
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
    return { close };
  };
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
