import { connect, type ConnectionOptions, headers, type NatsConnection } from '@nats-io/transport-node';
import type { Wait } from './base/clock.ts';
import type { FaultLog } from './base/fault-log.ts';
import { accessOptions, connectFailure, type NatsAccess } from './nats-access.ts';

/** How long the broker may take to store a message before we call its fate unknown, ms. A leader election takes 6 s. */
const ACK_TIMEOUT_MS = 10_000;
const RETRY_MS = 1_000;

/** The gateway's connection to NATS. It comes and goes by itself; whoever uses it looks at the generation. */
export interface Link {
  /** Grows with each connection; 0 while there is none. */
  generation(): number;
  /** Sends and waits for an answer. Rejects when there is no connection, no answer or nobody to answer. */
  request(subject: string, payload: Uint8Array, options?: RequestOptions): Promise<Uint8Array>;
  /** Sends, or drops while there is no connection. */
  publish(subject: string, payload: Uint8Array): void;
  /** Leaves and comes back with what the files of the home say now; nothing that waits is lost. */
  renew(): void;
  /** Keeps the connection until `signal` aborts. Needs no server to start with. */
  run(signal: AbortSignal): Promise<void>;
}

export interface RequestOptions {
  readonly timeoutMs?: number;
  /** Nats-Msg-Id, by which the broker's stream deduplicates. */
  readonly messageId?: string;
}

export interface LinkDeps extends NatsAccess {
  /** What to listen to; survives reconnects. */
  readonly subscriptions: Readonly<Record<string, (payload: Uint8Array) => void>>;
  /** A connection came or went. */
  readonly onChange: () => void;
  readonly wait: Wait;
  readonly faults: FaultLog;
}

export function createLink(deps: LinkDeps): Link {
  const { faults, onChange, wait } = deps;
  let connection: NatsConnection | undefined;
  let connections = 0;
  let isUp = false;

  function up(): void {
    connections += 1;
    isUp = true;
    faults.over('link', 'nats connected');
    onChange();
  }

  function down(why: string, err?: unknown): void {
    isUp = false;
    faults.fault('link', 'nats not connected', { why, ...(err !== undefined && { err }) });
    onChange();
  }

  async function serve(open: NatsConnection, signal: AbortSignal): Promise<void> {
    connection = open;
    for (const [subject, onMessage] of Object.entries(deps.subscriptions)) {
      open.subscribe(subject, { callback: (error, message) => void (error ?? onMessage(message.data)) });
    }
    up();
    const close = (): void => void open.close();
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    for await (const { type } of open.status()) {
      if (type === 'disconnect') down('disconnected');
      else if (type === 'reconnect') up();
    }
    signal.removeEventListener('abort', close);
    isUp = false;
  }

  return {
    generation: () => (isUp ? connections : 0),
    async request(subject, payload, { timeoutMs = ACK_TIMEOUT_MS, messageId } = {}) {
      if (!isUp || !connection) throw new LinkError('down', 'no connection to nats');
      const head = headers();
      if (messageId !== undefined) head.set('Nats-Msg-Id', messageId);
      const reply = await connection.request(subject, payload, {
        timeout: timeoutMs,
        ...(messageId !== undefined && { headers: head }),
      });
      return reply.data;
    },
    publish(subject, payload) {
      if (isUp) connection?.publish(subject, payload);
    },
    renew() {
      // Refused while it is reconnecting, and then it reads the files anyway.
      void connection?.reconnect().catch(() => undefined);
    },
    async run(signal) {
      while (!signal.aborted) {
        try {
          await serve(await connect(optionsOf(deps)), signal);
        } catch (err) {
          down(connectFailure(err), err);
        }
        await wait(RETRY_MS, signal);
      }
      await connection?.close();
    },
  };
}

function optionsOf(deps: LinkDeps): ConnectionOptions {
  return {
    ...accessOptions(deps),
    name: `gateway ${deps.gatewayId}`,
    timeout: 5_000,
    maxReconnectAttempts: -1,
    // A gateway may be dialling in before its user exists; being refused is no reason to stop asking.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: 500,
    reconnectJitter: 1_000,
    // A dead peer behind a live socket is noticed after 10-15 s instead of minutes.
    pingInterval: 5_000,
    maxPingOut: 2,
  };
}

/** down: there is no connection. refused: the broker answered and did not store the message. */
export type LinkErrorCode = 'down' | 'refused';

export class LinkError extends Error {
  readonly code: LinkErrorCode;

  constructor(code: LinkErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'LinkError';
    this.code = code;
  }
}

/**
 * Reads the broker's answer to a stored publish.
 * @throws LinkError 'refused' when it did not store the message, with its own words: 'maximum bytes exceeded (10077)'.
 */
export function assertStored(answer: Uint8Array): void {
  const text = Buffer.from(answer).toString('utf8');
  const ack = parseAck(text);
  if (ack?.error)
    throw new LinkError('refused', `${ack.error.description ?? 'refused'} (${ack.error.err_code ?? '?'})`);
  if (typeof ack?.stream !== 'string') throw new LinkError('refused', `not a PubAck: ${text.slice(0, 100)}`);
}

interface PubAck {
  readonly stream?: unknown;
  readonly error?: { readonly description?: string; readonly err_code?: number };
}

function parseAck(text: string): PubAck | undefined {
  try {
    return JSON.parse(text) as PubAck | undefined;
  } catch {
    return undefined; // An empty or foreign answer: the caller says so.
  }
}
