import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Authenticator,
  connect,
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
} from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Wait } from './clock.ts';

/** How the message server is reached; as the configuration names it. */
export interface NatsAccess {
  /** `tls://` encrypts from the first byte and needs the three files; a list names the servers of a cluster. */
  readonly url: string;
  /** Folder with `<user>.creds`: JWT and seed of each user. */
  readonly credsDir?: string | undefined;
  /** nkey seed for a server that is not in operator mode: every user is this one. */
  readonly seedFile?: string | undefined;
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface NatsDeps {
  readonly access: NatsAccess;
  readonly log: Logger;
  readonly wait: Wait;
  /** Told of every connection; a throw ends it, and it is tried again. Says why a server may not be used. */
  readonly accept?: (connection: NatsConnection) => void;
}

/** A connection of the process. It is kept for ever: whoever uses it sees pauses, never an end, until `close`. */
export interface Nats {
  /** Resolves at the first connection, however late; rejects only when closed before. */
  readonly connection: Promise<NatsConnection>;
  isConnected(): boolean;
  /** Delivers what is still in the buffers, at most for a second, and ends. */
  close(): Promise<void>;
}

/** The connections of a process: each part of the cloud is a user of its own, with the least it can work with. */
export interface Broker {
  /** Starts to connect at the first call and returns at once. @throws Error on unreadable credentials. */
  as(user: string): Nats;
  close(): Promise<void>;
}

export function createBroker(deps: NatsDeps): Broker {
  const open = new Map<string, Nats>();
  return {
    as(user) {
      const nats = open.get(user) ?? createNats(deps, user);
      open.set(user, nats);
      return nats;
    },
    async close() {
      await Promise.all([...open.values()].map((nats) => nats.close()));
    },
  };
}

/** Starts to connect and returns at once: the API serves history while the broker is away. */
function createNats({ access, log, wait, accept }: NatsDeps, user: string): Nats {
  const options = connectionOptions(access, user);
  const stop = new AbortController();
  let connected = false;

  async function connectForEver(): Promise<NatsConnection> {
    for (let failures = 0; !stop.signal.aborted; failures += 1) {
      try {
        const connection = await open();
        connected = true;
        void follow(connection);
        return connection;
      } catch (err) {
        if (failures % 60 === 0) log.warn({ err, user, failures }, 'nats cannot be reached');
        await wait(Math.min(5_000, 250 * 2 ** Math.min(failures, 5)), stop.signal);
      }
    }
    throw new Error('nats closed before it was connected');
  }

  async function open(): Promise<NatsConnection> {
    const connection = await connect(options);
    try {
      accept?.(connection);
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async function follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect' || status.type === 'reconnect') {
        connected = status.type === 'reconnect';
        log.warn({ user, connected }, 'nats link changed');
      } else if (status.type === 'error') {
        // A permission that is missing would otherwise be a silence.
        log.error({ user, err: status.error }, 'nats refuses');
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

/** @throws Error on unreadable credentials; certificates are read at each connection, so that renewed ones serve the next. */
export function connectionOptions(access: NatsAccess, user: string): ConnectionOptions {
  const { url, caFile, certFile, keyFile } = access;
  const authenticator = authenticatorOf(access, user);
  return {
    servers: url.split(','),
    name: `parkline ${user}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    // Credentials that are replaced while the process runs are refused until the server knows them.
    ignoreAuthErrorAbort: true,
    ...(access.credsDir !== undefined && { inboxPrefix: `_INBOX.${user}` }),
    ...(authenticator && { authenticator }),
    ...(url.startsWith('tls:') && {
      tls: {
        handshakeFirst: true,
        ...(caFile !== undefined && { caFile }),
        ...(certFile !== undefined && { certFile }),
        ...(keyFile !== undefined && { keyFile }),
      },
    }),
  };
}

function authenticatorOf({ credsDir, seedFile }: NatsAccess, user: string): Authenticator | undefined {
  if (credsDir !== undefined) {
    const file = join(credsDir, `${user}.creds`);
    const read = (): Uint8Array => readFileSync(file);
    // What is missing is found at start; what is replaced later is read at the next connection.
    if (!existsSync(file))
      throw new Error(`NATS_CREDS_DIR lacks ${user}.creds, the login of this process: ${file}`);
    return (nonce) => credsAuthenticator(read())(nonce);
  }
  if (seedFile === undefined) return undefined;
  return nkeyAuthenticator(new TextEncoder().encode(readFileSync(seedFile, 'utf8').trim()));
}
