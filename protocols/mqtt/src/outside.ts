import { readFileSync } from 'node:fs';
import { DriverError, type DriverLog } from '@parkline/kit';
import type { connect, IClientOptions, IPublishPacket, MqttClient } from 'mqtt';
import { isMatch } from './access.ts';
import type { Inbox, Message } from './inbox.ts';
import type { ClientParams } from './params.ts';
import type { Subject } from './subject.ts';

/** Pause before another try after a connection ended or could not be had, ms. */
const RETRY_MS = 2_000;
/** Before a broker is told that nobody listens for a device any more, ms. */
const LEAVE_MS = 5_000;
const CONNECT_MS = 10_000;
/** Reason codes of a CONNACK about who we are: MQTT 3.1.1 section 3.2.2.3, MQTT 5 section 3.2.2.2. */
const loginRefused = new Set<unknown>([4, 5, 0x86, 0x87, 0x8c]);

export interface OutsideDeps {
  readonly params: ClientParams;
  readonly subjects: () => readonly Subject[];
  readonly inbox: Pick<Inbox, 'keep'>;
  readonly now: () => number;
  readonly log: DriverLog;
}

/** A connection to somebody else's broker. */
export interface Outside {
  /**
   * Connects and subscribes, if it did not yet. Rejects with DriverError 'lost' when that takes longer than `timeoutMs`, and with
   * 'refused' as soon as the broker does not take the login.
   */
  open(): Promise<void>;
  /** Rejects with DriverError 'lost' when there is no connection; nothing is kept for later. */
  send(topic: string, payload: Uint8Array): Promise<void>;
  /** Listens no more for a device, until the next `open` finds it among the subjects. */
  leave(subject: Subject): void;
  /** Hears everything the broker lets us, until `signal` aborts. */
  listen(filter: string, onMessage: (message: Message) => void, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Comes back by itself, with its subscriptions; what the broker kept meanwhile comes then. */
export function createOutside({ params, subjects, inbox, now, log }: OutsideDeps): Outside {
  let client: MqttClient | undefined;
  let closings = 0;
  const joined = new Map<Subject, readonly { gone(): void }[]>();
  let trouble = 'no answer';
  const listeners = new Set<{ readonly filter: string; onMessage(message: Message): void }>();

  function toRefused(): DriverError {
    return new DriverError('refused', `the broker does not let us in: ${trouble}`, params.url);
  }

  function toLost(): DriverError {
    return new DriverError('lost', `no connection to the broker: ${trouble}`, params.url);
  }

  async function take(packet: IPublishPacket, acknowledge: () => void): Promise<void> {
    const { topic, payload, qos, retain } = packet;
    const message: Message = { topic, qos, retain, payload: Buffer.from(payload), receivedAt: now() };
    for (const { filter, onMessage } of listeners) if (isMatch(filter, topic)) onMessage(message);
    const subject = subjects().find((one) => one.owns(topic));
    if (!subject) acknowledge();
    else if (retain) {
      subject.recall(message);
      acknowledge();
    } else {
      const kept = qos === 0 ? undefined : await inbox.keep(topic, message);
      acknowledge();
      subject.heard(message, kept);
    }
  }

  /** Listens for devices that are not listened for on this connection yet. */
  function join(made: MqttClient): void {
    const fresh = subjects().filter((one) => !joined.has(one));
    const filters = fresh.flatMap((one) => one.filters);
    for (const one of fresh)
      joined.set(
        one,
        one.stations().map((station) => station.came()),
      );
    if (filters.length === 0) return;
    made.subscribe(filters, { qos: 1 }, (err, granted) => {
      const refused = granted?.filter(({ qos }) => (qos as number) > 2).map(({ topic }) => topic) ?? [];
      if (err ?? refused.length > 0)
        log.warn({ url: params.url, refused, err }, 'mqtt broker refuses subscriptions');
    });
  }

  function part(): void {
    for (const session of [...joined.values()].flat()) session.gone();
    joined.clear();
  }

  function start(dial: typeof connect): MqttClient {
    const made = dial(params.url, optionsOf(params));
    // The broker is answered after the message is on the disk, and not at all when that failed: then it sends it again.
    made.handleMessage = (packet, done) => {
      take(packet, () => {
        done();
      }).catch((err: unknown) => {
        log.warn({ url: params.url, topic: packet.topic, err }, 'mqtt message could not be taken');
        made.stream.destroy();
      });
    };
    made.on('connect', () => {
      join(made);
      log.info({ url: params.url }, 'mqtt broker is connected');
    });
    made.on('close', part);
    made.on('error', (err) => {
      if (trouble !== err.message) log.warn({ url: params.url, err }, 'mqtt broker does not let us in');
      trouble = err.message || (err as { code?: string }).code || String(err);
    });
    return made;
  }

  async function open(): Promise<void> {
    const closed = closings;
    const library = await import('mqtt'); // A gateway that is the broker itself does without.
    if (closings !== closed) throw toLost();
    client ??= start(library.connect);
    const made = client;
    if (made.connected) {
      join(made);
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const onConnect = (): void => {
      resolve(undefined);
    };
    const onError = (err: Error & { readonly code?: unknown }): void => {
      if (loginRefused.has(err.code)) reject(toRefused());
    };
    const timer = setTimeout(() => {
      reject(toLost());
    }, params.timeoutMs);
    made.once('connect', onConnect);
    made.on('error', onError);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      made.off('connect', onConnect);
      made.off('error', onError);
    }
  }

  return {
    open,
    async send(topic, payload) {
      if (!client?.connected) throw toLost();
      client.publish(topic, Buffer.from(payload), { qos: 1 });
      return Promise.resolve();
    },
    leave(subject) {
      for (const session of joined.get(subject) ?? []) session.gone();
      if (!joined.delete(subject)) return;
      // Not at once: it may be back with other parameters, and brokers mix up what comes close together.
      setTimeout(() => {
        const isBack = subjects().some(({ filters }) => filters[0] === subject.filters[0]);
        if (!isBack && client?.connected) client.unsubscribe([...subject.filters]);
      }, LEAVE_MS).unref();
    },
    async listen(filter, onMessage, signal) {
      const listener = { filter, onMessage };
      listeners.add(listener);
      const own = subjects().flatMap((one) => one.filters);
      try {
        await open();
        if (!own.includes(filter)) await client?.subscribeAsync(filter, { qos: 0 });
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            resolve();
          });
          if (signal.aborted) resolve();
        });
      } finally {
        listeners.delete(listener);
        if (client?.connected && !own.includes(filter)) client.unsubscribe(filter);
      }
    },
    async close() {
      const ending = client;
      client = undefined;
      closings += 1;
      await ending?.endAsync(true);
      part();
    },
  };
}

/** @throws DriverError 'config' naming the file that cannot be read. */
function optionsOf(params: ClientParams): IClientOptions {
  const { username, passwordFile, caFile, certFile, keyFile, clientId, cleanSession, keepaliveS, protocol } =
    params;
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new DriverError('config', `cannot read ${path}: ${String(cause)}`, params.url, { cause });
    }
  };
  const password = passwordFile === undefined ? params.password : read(passwordFile).toString('utf8').trim();
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(caFile !== undefined && { ca: read(caFile) }),
    ...(certFile !== undefined && { cert: read(certFile) }),
    ...(keyFile !== undefined && { key: read(keyFile) }),
    ...(clientId !== undefined && { clientId }),
    protocolVersion: protocol === '5' ? 5 : 4,
    // MQTT 5 forgets a session with its connection unless told otherwise; a day, in seconds.
    ...(protocol === '5' && !cleanSession && { properties: { sessionExpiryInterval: 86_400 } }),
    ...{ clean: cleanSession, keepalive: keepaliveS, connectTimeout: CONNECT_MS, reconnectPeriod: RETRY_MS },
    // We subscribe again ourselves: filters may have been added. A command that could not be sent is never sent late.
    ...{ resubscribe: false, queueQoSZero: false, reconnectOnConnackError: true },
  };
}
