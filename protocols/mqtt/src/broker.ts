import type { EventEmitter } from 'node:events';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { DriverError } from '@parkline/kit';
import { Aedes, type Client } from 'aedes';
import { isMatch } from './access.ts';
import { type AedesMessage, createDoor, type DoorDeps, userOf } from './door.ts';
import { guardParser } from './guard.ts';
import { createInbox, type Inbox, type Message } from './inbox.ts';
import { createListener, listen, type ListenerDeps } from './listener.ts';
import { createSessions } from './sessions.ts';
import { createStore, type Store } from './store.ts';
import { openStoreFile } from './store-file.ts';
import type { Subject } from './subject.ts';

/** For the CONNECT packet of a new connection, ms. */
const CONNECT_TIMEOUT_MS = 10_000;
/** User name, / and what MQTT 3.1 allows a client to call itself. */
const MAX_CLIENT_ID = 64 + 1 + 23;

export interface BrokerDeps extends DoorDeps, ListenerDeps {
  /** Whose topic this is, of all devices. */
  readonly subjectOf: (topic: string) => Subject | undefined;
  /** Folder of the broker's store. */
  readonly dataDir: string;
}

/** What became of a message to a device. */
export interface Sent {
  /** Connections that listen to its topic. */
  readonly listeners: number;
  /** Resolves when one of them acknowledged it; never rejects. */
  readonly acknowledged: Promise<void>;
}

/** The gateway's own MQTT broker (3.1 and 3.1.1). Devices come to it; it goes to nobody. */
export interface Broker {
  /** Listens, if it does not yet. Rejects with DriverError 'lost' when the port cannot be had. */
  open(): Promise<void>;
  /** To the connections of a device that are there now; it waits for nobody. @param until Unix ms: later it is not delivered any more. */
  send(username: string, topic: string, payload: Uint8Array, until: number): Promise<Sent>;
  /** Ends the connections of a device; it may come back at once. */
  hangUp(username: string): void;
  /** Hangs up on everyone. `open` may follow. */
  close(): Promise<void>;
}

interface Running {
  readonly server: Server;
  readonly aedes: Aedes;
  readonly door: ReturnType<typeof createDoor>;
  readonly sockets: Set<Socket>;
  readonly endStore: () => void;
}

export function createBroker(deps: BrokerDeps): Broker {
  let running: Promise<Running> | undefined;
  return {
    async open() {
      running ??= start(deps);
      try {
        await running;
      } catch (error) {
        running = undefined; // The port may be free at the next try.
        throw error;
      }
    },
    async send(username, topic, payload, until) {
      const now = await running;
      if (!now) throw new DriverError('lost', 'the broker is closed', `${deps.host}:${deps.port}`);
      return sendTo(now, username, { topic, payload: Buffer.from(payload) }, until);
    },
    hangUp(username) {
      running?.then(
        ({ door }) => {
          for (const client of door.clientsOf(username)) {
            door.left(client);
            client.conn.destroy();
          }
        },
        () => undefined,
      );
    },
    async close() {
      const ending = running;
      running = undefined;
      const { server, aedes, sockets, endStore } = (await ending?.catch(() => undefined)) ?? {};
      const closed = new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
      await Promise.all([closed, ...[...(sockets ?? [])].map(hangUp)]); // Each device has been seen to leave.
      await new Promise<void>((resolve) => {
        if (aedes) aedes.close(resolve);
        else resolve();
      });
      endStore?.();
    },
  };
}

const hangUp = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => {
      resolve();
    });
    socket.destroy();
  });

/** aedes keeps what a client subscribed to; its types do not say so. */
const filtersOf = (client: Client): string[] =>
  Object.keys((client as unknown as { subscriptions: Record<string, unknown> }).subscriptions);

function sendTo(
  { aedes, door }: Running,
  username: string,
  { topic, payload }: { readonly topic: string; readonly payload: Buffer },
  until: number,
): Sent {
  const listening = door
    .clientsOf(username)
    .filter((client) => filtersOf(client).some((filter) => isMatch(filter, topic)));
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const onAck = (_packet: unknown, client: Client): void => {
    if (!listening.includes(client)) return;
    aedes.off('ack', onAck);
    resolve(undefined);
  };
  aedes.on('ack', onAck);
  setTimeout(() => aedes.off('ack', onAck), 60_000).unref();
  for (const client of listening) {
    // Not by the broker: what waits for a device that is away moves a machine when nobody expects it.
    const packet = {
      cmd: 'publish',
      topic,
      payload,
      qos: 1,
      retain: false,
      dup: false,
      messageExpiry: until,
    } as const;
    client.publish(packet, () => undefined);
  }
  return { listeners: listening.length, acknowledged: promise };
}

async function start(deps: BrokerDeps): Promise<Running> {
  const { log, dataDir, now } = deps;
  const sockets = new Set<Socket>();
  const ready = Promise.withResolvers<(socket: Socket) => void>();
  ready.promise.catch(() => undefined);
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  const onSocket = (socket: Socket): void => {
    track(socket);
    ready.promise.then(
      (accept) => {
        accept(socket);
      },
      () => socket.destroy(),
    );
  };
  const server = createListener(deps, onSocket, track);
  await listen(server, deps); // Before the store: whoever has the port has the store as well.
  try {
    const store = createStore(openStoreFile(join(dataDir, 'mqtt.sqlite'), log, now));
    const made = await createAedes(deps, store);
    ready.resolve(made.accept);
    return { ...made, server, sockets };
  } catch (error) {
    ready.reject(error);
    server.close();
    throw error;
  }
}

/** The broker behind the port, with what an earlier one left behind. */
async function createAedes(deps: BrokerDeps, store: Store) {
  const { host, port, log, now, maxPacketBytes } = deps;
  const inbox = createInbox(store, now, log);
  const door = createDoor(deps, inbox);
  let isEnding = false;
  const onFailure = (err: unknown): void => {
    if (!isEnding) log.warn({ host, port, err }, 'mqtt store cannot be written');
  };
  const sessions = createSessions({ store, now, onFailure, mayHear: door.mayHear, deviceOf: userOf });
  const retained = store.rows('SELECT * FROM retained');
  const wills = store.rows('SELECT * FROM will');
  const aedes = await Aedes.createBroker({
    ...door.rules,
    persistence: sessions,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxClientsIdLength: MAX_CLIENT_ID,
  });
  aedes.on('publish', (packet, client) => {
    if (client && Buffer.isBuffer(packet.payload)) door.heard(client, packet as AedesMessage);
  });
  (aedes as EventEmitter).on('error', (err) => {
    log.warn({ host, port, err }, 'mqtt broker failed at a message');
  });
  for (const event of ['clientError', 'connectionError'] as const)
    aedes.on(event, (client, err) => {
      log.debug({ client: client.id, err }, 'mqtt connection ended');
    });
  for (const row of retained) recall(deps, row);
  replay(deps, aedes, inbox);
  await Promise.all(wills.map((row) => publishWill(aedes, sessions, row)));
  return {
    aedes,
    door,
    accept(socket: Socket): void {
      const client = aedes.handle(socket);
      guardParser(client, maxPacketBytes);
      socket.once('close', () => door.left(client));
    },
    endStore(): void {
      isEnding = true; // Last wills still on their way are said at the next start.
      inbox.close();
      sessions.flush();
      store.close();
    },
  };
}

const packetOf = (row: Readonly<Record<string, unknown>>) => ({
  ...({ cmd: 'publish', dup: false, retain: row['retain'] === 1 } as const),
  topic: String(row['topic']),
  payload: Buffer.from(row['payload'] as Uint8Array),
  qos: Number(row['qos']) as 0 | 1 | 2,
});

/** What is retained is the last that is known of a device until it tells again. */
function recall({ subjectOf }: BrokerDeps, row: Readonly<Record<string, unknown>>): void {
  const message: Message = { ...packetOf(row), retain: true, receivedAt: Number(row['received_at']) };
  subjectOf(message.topic)?.recall(message);
}

/** What was acknowledged and perhaps went no further. Clients may hear it a second time, which QoS 1 allows. */
function replay({ accountOf }: BrokerDeps, aedes: Aedes, inbox: Inbox): void {
  for (const { owner, message, kept } of inbox.left()) {
    const subject = accountOf(owner)?.subjects.find((one) => one.owns(message.topic));
    const { topic, payload, qos, retain } = message;
    aedes.publish(
      { cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: false },
      () => undefined,
    );
    if (subject) subject.heard(message, kept);
    else kept.passed();
  }
}

/** A power cut ends every connection; nobody said their last will then. */
async function publishWill(
  aedes: Aedes,
  sessions: ReturnType<typeof createSessions>,
  row: Readonly<Record<string, unknown>>,
): Promise<void> {
  await new Promise<void>((resolve) => {
    aedes.publish(packetOf(row), () => {
      resolve();
    });
  });
  await sessions.delWill({ id: String(row['client']) });
}
