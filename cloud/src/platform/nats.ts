import { readFileSync } from 'node:fs';
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Wait } from './clock.ts';

export interface NatsDeps {
  readonly url: string;
  /** nkey seed of the user in the CORE account; absent: the server asks for no name. */
  readonly seedFile?: string | undefined;
  /** Shown in the server's connection list. */
  readonly name: string;
  readonly log: Logger;
  readonly wait: Wait;
}

/** The process's one connection. It is kept for ever: whoever uses it sees pauses, never an end, until `close`. */
export interface Nats {
  /** Resolves at the first connection, however late; rejects only when closed before. */
  readonly connection: Promise<NatsConnection>;
  isConnected(): boolean;
  /** Delivers what is still in the buffers, at most for a second, and ends. */
  close(): Promise<void>;
}

/** Starts to connect and returns at once: the API serves history while the broker is away. @throws Error on an unreadable seed file. */
export function createNats({ url, seedFile, name, log, wait }: NatsDeps): Nats {
  const seed = seedFile ? new TextEncoder().encode(readFileSync(seedFile, 'utf8').trim()) : undefined;
  const stop = new AbortController();
  let connected = false;

  async function connectForEver(): Promise<NatsConnection> {
    for (let failures = 0; !stop.signal.aborted; failures += 1) {
      try {
        const connection = await connect({
          servers: url,
          name,
          maxReconnectAttempts: -1,
          reconnectTimeWait: 500,
          ...(seed && { authenticator: nkeyAuthenticator(seed) }),
        });
        connected = true;
        void follow(connection);
        return connection;
      } catch (err) {
        if (failures % 60 === 0) log.warn({ err, failures }, 'nats cannot be reached');
        await wait(Math.min(5_000, 250 * 2 ** Math.min(failures, 5)), stop.signal);
      }
    }
    throw new Error('nats closed before it was connected');
  }

  async function follow(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect' || type === 'reconnect') {
        connected = type === 'reconnect';
        log.warn({ connected }, 'nats link changed');
      }
    }
    connected = false;
  }

  const connection = connectForEver();
  connection.catch(() => undefined); // Whoever awaits it learns of the rejection; nobody need await it.

  return {
    connection,
    isConnected: () => connected,
    async close() {
      stop.abort();
      if (!connected) return void connection.then((one) => one.close()).catch(() => undefined);
      const one = await connection;
      await Promise.race([one.drain(), wait(1_000, new AbortController().signal)]).catch(() => undefined);
      await one.close();
    },
  };
}
