import type { EventEmitter } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type DriverLog, DriverError } from '@parkline/kit';
import { Aedes, type AedesOptions, type AuthenticateError, type Client } from 'aedes';
import { below, isToken } from './access.ts';
import { guardParser } from './guard.ts';
import type { Station } from './station.ts';

/** Connections of one device at once: a new one may overlap the old, dead one a few times. */
const MAX_CONNECTIONS_EACH = 4;
/** For the CONNECT packet of a new connection, ms. */
const CONNECT_TIMEOUT_MS = 10_000;
/** After this long the operating system asks an idle peer whether it is still there, ms. */
const TCP_KEEPALIVE_MS = 30_000;
/** User name, / and what MQTT 3.1 allows a client to call itself. */
const MAX_CLIENT_ID = 64 + 1 + 23;
/** CONNACK return codes, MQTT 3.1.1 clause 3.2.2.3. */
const BAD_LOGIN = 4;
const SERVER_UNAVAILABLE = 3;

/** A device that may connect. */
export interface Account {
  readonly username: string;
  /** SHA-256 of its token, hex. */
  readonly passwordSha256: string;
  readonly station: Station;
}

export interface BrokerDeps {
  readonly host: string;
  readonly port: number;
  readonly maxPacketBytes: number;
  readonly maxConnections: number;
  readonly accountOf: (username: string) => Account | undefined;
  readonly log: DriverLog;
}

/** The gateway's own MQTT broker (3.1 and 3.1.1). Devices come to it; it goes to nobody. */
export interface Broker {
  /** Listens, if it does not yet. Rejects with DriverError 'lost' when the port cannot be had. */
  open(): Promise<void>;
  /** Hangs up on everyone. `open` may follow. */
  close(): Promise<void>;
}

interface Running {
  readonly server: Server;
  readonly aedes: Aedes;
  readonly sockets: Set<Socket>;
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
    async close() {
      const ending = running;
      running = undefined;
      const { server, aedes, sockets } = (await ending?.catch(() => undefined)) ?? {};
      const closed = new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
      await Promise.all([closed, ...[...(sockets ?? [])].map(hangUp)]); // Each device has been seen to leave.
      await new Promise<void>((resolve) => {
        if (aedes) aedes.close(resolve);
        else resolve();
      });
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

async function start(deps: BrokerDeps): Promise<Running> {
  const { host, port, log, maxPacketBytes, maxConnections } = deps;
  const sockets = new Set<Socket>();
  const door = createDoor(deps);
  const aedes = await Aedes.createBroker({
    ...door.rules,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxClientsIdLength: MAX_CLIENT_ID,
  });
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS }, (socket) => {
    sockets.add(socket);
    const client = aedes.handle(socket);
    guardParser(client, maxPacketBytes);
    socket.on('close', () => {
      sockets.delete(socket);
      door.left(client);
    });
  });
  server.maxConnections = maxConnections;
  server.on('drop', () => {
    log.warn({ host, port, maxConnections }, 'mqtt connection refused: too many');
  });
  aedes.on('publish', (packet, client) => {
    if (client && Buffer.isBuffer(packet.payload)) door.heard(client, packet.topic, packet.payload);
  });
  (aedes as EventEmitter).on('error', (err) => {
    log.warn({ host, port, err }, 'mqtt broker failed at a message');
  });
  for (const event of ['clientError', 'connectionError'] as const)
    aedes.on(event, (client, err) => {
      log.debug({ client: client.id, err }, 'mqtt connection ended');
    });
  await listen(server, deps).catch(async (error: unknown) => {
    await new Promise<void>((resolve) => {
      aedes.close(resolve);
    });
    throw error;
  });
  return { server, aedes, sockets };
}

function listen(server: Server, { host, port, log }: BrokerDeps): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', (cause) => {
      log.warn({ host, port, err: cause }, 'mqtt broker has a problem with its port');
      const advice = `cannot listen: ${cause.message}; free the port or name another`;
      reject(new DriverError('lost', advice, `${host}:${port}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

/** Who may come in, and what about. One instance per start of the broker. */
function createDoor({ accountOf, maxPacketBytes, log }: BrokerDeps) {
  const visits = new Map<Client, { readonly account: Account; gone(): void }>();
  const said = new Set<string>();

  /** A device in the field repeats its mistake every second for years. */
  function warnOnce(facts: Readonly<Record<string, unknown>>, message: string): void {
    const key = `${message} ${JSON.stringify(facts)}`;
    if (said.has(key) || said.size >= 1_000) return;
    said.add(key);
    log.warn(facts, message);
  }

  const rules: AedesOptions = {
    preConnect(_client, packet, done) {
      const { username = '' } = packet;
      if ((packet.protocolVersion ?? 4) > 4) {
        const advice = 'set the device to MQTT 3.1.1 (protocol level 4)';
        warnOnce({ username, protocolVersion: packet.protocolVersion, advice }, 'mqtt 5 is not spoken here');
      }
      // Ids are private to their user: nobody ends another's connection by taking its id. No session outlives its
      // connection either, or queues for devices that never return would fill the memory.
      if (packet.clientId !== '') packet.clientId = `${username}/${packet.clientId}`;
      packet.clean = true;
      done(null, true);
    },
    authenticate(client, username = '', password = Buffer.alloc(0), done) {
      const account = accountOf(username);
      if (!isToken(password, account?.passwordSha256) || !account) {
        warnOnce({ username }, 'mqtt login refused');
        done(refusal(BAD_LOGIN, 'unknown user or wrong token'), false);
        return;
      }
      if (
        [...visits.values()].filter((visit) => visit.account.username === username).length >=
        MAX_CONNECTIONS_EACH
      ) {
        warnOnce({ username }, 'mqtt device has too many connections');
        done(refusal(SERVER_UNAVAILABLE, 'too many connections'), false);
        return;
      }
      visits.set(client, { account, ...account.station.came() });
      done(null, true);
    },
    authorizePublish(client, packet, done) {
      const { topic, payload } = packet;
      const account = client ? visits.get(client)?.account : undefined;
      const subtopic = account && below(account.username, topic);
      const isOwn = client === null || subtopic !== undefined;
      // What is not remembered is not retained either.
      if (subtopic !== undefined && !account?.station.hasRoom(subtopic)) packet.retain = false;
      const username = account?.username;
      const isTooLarge = payload.length > maxPacketBytes;
      if (!isOwn) warnOnce({ username, topic }, 'mqtt publish refused: not a topic of this device');
      else if (isTooLarge) warnOnce({ username, topic, maxPacketBytes }, 'mqtt publish refused: too large');
      done(isOwn && !isTooLarge ? null : new Error('refused'));
    },
    authorizeSubscribe(client, subscription, done) {
      const { topic } = subscription;
      const username = visits.get(client)?.account.username;
      const isOwn = username !== undefined && below(username, topic) !== undefined;
      if (!isOwn) warnOnce({ username, topic }, 'mqtt subscription refused: not a topic of this device');
      done(null, isOwn ? subscription : null);
    },
  };

  return {
    rules,
    left(client: Client): void {
      visits.get(client)?.gone();
      visits.delete(client);
    },
    /** A last will says nothing that the end of its connection does not; after a takeover it even lies. */
    heard(client: Client, topic: string, payload: Uint8Array): void {
      const visit = visits.get(client);
      const subtopic = visit && below(visit.account.username, topic);
      if (client.closed || subtopic === undefined) return;
      try {
        if (visit?.account.station.heard(subtopic, payload) === false)
          warnOnce({ username: visit.account.username }, 'mqtt device uses too many topics');
      } catch (err) {
        warnOnce({ topic, err: String(err) }, 'mqtt message could not be taken');
      }
    },
  };
}

const refusal = (returnCode: number, message: string): AuthenticateError =>
  Object.assign(new Error(message), { returnCode }) as AuthenticateError;
