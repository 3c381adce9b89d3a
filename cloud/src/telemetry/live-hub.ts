import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { LiveUpdate, subjects } from '@parkline/contract';
import type { FastifyBaseLogger } from 'fastify';
import Compile from 'typebox/compile';
import type { LiveSample } from './latest.ts';

/** Called with what changed in the account; must not throw. */
export type LiveListener = (samples: readonly LiveSample[]) => void;

/** Hands the account's live values to any number of streams over one subscription. */
export interface LiveHub {
  /** @returns what ends listening. */
  listen(accountId: string, listener: LiveListener): () => void;
}

const update = Compile(LiveUpdate);

interface Channel {
  readonly listeners: Set<LiveListener>;
  readonly subscription: Promise<Subscription>;
}

/** `nats` may connect late: values flow from then on. */
export function createLiveHub(nats: Promise<NatsConnection>, log: FastifyBaseLogger): LiveHub {
  const channels = new Map<string, Channel>();

  function open(accountId: string): Channel {
    const listeners = new Set<LiveListener>();
    const subscription = nats.then((connection) =>
      connection.subscribe(subjects.live(accountId), {
        callback: (err, message) => {
          if (err) return log.warn({ err, accountId }, 'live values interrupted');
          const value: unknown = JSON.parse(message.string());
          if (update.Check(value)) for (const listener of listeners) listener(value.samples);
        },
      }),
    );
    subscription.catch(() => undefined); // Closed before it was connected: nobody listens any more.
    return { listeners, subscription };
  }

  return {
    listen(accountId, listener) {
      const channel = channels.get(accountId) ?? open(accountId);
      channels.set(accountId, channel);
      channel.listeners.add(listener);
      return () => {
        channel.listeners.delete(listener);
        if (channel.listeners.size > 0 || channels.get(accountId) !== channel) return;
        channels.delete(accountId);
        channel.subscription.then((one) => one.unsubscribe()).catch(() => undefined); // Never opened, or gone with the link.
      };
    },
  };
}
