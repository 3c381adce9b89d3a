import type { EventEmitter } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { DriverError } from '@parkline/kit';
import { Aedes } from 'aedes';
import { createDoor, type DoorDeps } from './door.ts';
import { guardParser } from './guard.ts';

/** For the CONNECT packet of a new connection, ms. */
const CONNECT_TIMEOUT_MS = 10_000;
/** After this long the operating system asks an idle peer whether it is still there, ms. */
const TCP_KEEPALIVE_MS = 30_000;
/** User name, / and what MQTT 3.1 allows a client to call itself. */
const MAX_CLIENT_ID = 64 + 1 + 23;

export interface BrokerDeps extends DoorDeps {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
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
  // Once: whoever floods the port must not flood the log.
  server.once('drop', () => {
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
      // Before it listens whoever reads tells of it, once for each device; later nobody else would.
      if (server.listening) log.warn({ host, port, err: cause }, 'mqtt broker has a problem with its port');
      const advice = `cannot listen: ${cause.message}; free the port or name another`;
      reject(new DriverError('lost', advice, `${host}:${port}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}
