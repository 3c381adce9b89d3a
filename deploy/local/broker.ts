import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as openSocket } from 'node:net';
import { type Context } from './context.ts';
import { natsUser } from './keys.ts';
import {
  diskOf,
  fileStoreLimit,
  natsCommand,
  natsFiles,
  natsHealth,
  shouldUnlatch,
  untilNatsIsHealthy,
  writeNatsConfig,
} from './nats.ts';
import { type GatewayUser, renderNatsConfig } from './nats-config.ts';
import type { NatsServer } from './nats-server.ts';
import { StartError } from './options.ts';
import type { Ports } from './ports.ts';

/** A message server that answers. */
export interface Broker {
  readonly url: string;
  /** Seed file of the cloud's user. */
  readonly seedFile: string;
}

const seedFile = (context: Context): string => join(context.home.secrets, 'nats-core.nk');

/** Starts the park's own message server for these gateways and watches its health. */
export async function runBroker(
  context: Context,
  server: NatsServer,
  ports: Ports,
  gateways: readonly GatewayUser[],
): Promise<Broker> {
  const { home, supervisor } = context;
  const files = natsFiles(home.nats);
  await mkdir(files.storeDir, { recursive: true });
  await writeNatsConfig(server.path, files.config, {
    port: ports.nats,
    httpPort: ports.natsHttp,
    storeDir: files.storeDir,
    pidFile: files.pidFile,
    maxFileStore: fileStoreLimit(await diskOf(home.nats)),
    coreKey: await natsUser(seedFile(context)),
    gateways,
  });
  await supervisor.run({
    name: 'nats',
    stage: 'broker',
    command: natsCommand(server.path, files.config),
    ready: (_running, signal) => untilNatsIsHealthy(ports.natsHttp, 60_000, signal),
    readyWithinMs: 60_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 1000,
  });
  watchHealth(context, ports.natsHttp);
  return { url: `nats://127.0.0.1:${ports.nats}`, seedFile: seedFile(context) };
}

/** Every 5 s: a stream that stays stuck after the disk was full is freed by a restart, once there is room again. */
function watchHealth({ home, supervisor, steps, signal }: Context, httpPort: number): void {
  let lastRestartAt: number | undefined;
  const look = async (): Promise<void> => {
    const [health, disk] = await Promise.all([natsHealth(httpPort), diskOf(home.nats)]);
    if (health.ok || !shouldUnlatch(health, disk, Date.now(), lastRestartAt)) return;
    lastRestartAt = Date.now();
    steps.say(`nats is stuck (${health.why}); restarting it`);
    supervisor.restart('nats');
  };
  const timer = setInterval(() => void look().catch(() => undefined), 5000);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

/** Uses the server of NATS_URL. Its operator finds the accounts and keys to allow in a file of the home folder. */
export async function attachBroker(
  context: Context,
  url: string,
  gateways: readonly GatewayUser[],
): Promise<Broker> {
  const file = join(context.home.nats, 'accounts-to-allow.conf');
  const text = await renderNatsConfig({
    port: 4222,
    httpPort: 8222,
    storeDir: 'store',
    pidFile: 'server.pid',
    maxFileStore: fileStoreLimit(await diskOf(context.home.nats)),
    coreKey: await natsUser(seedFile(context)),
    gateways,
  });
  await writeFile(file, text);
  context.steps.detail(`the server of NATS_URL must allow the users in ${file}`);
  return { url, seedFile: seedFile(context) };
}

/** @throws StartError when nobody listens at the address. */
export function assertListens(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = openSocket({ host: hostname, port: Number(port || 4222), timeout: 5000 });
    const refuse = (why: string): void => {
      socket.destroy();
      reject(new StartError(`the message server of NATS_URL cannot be reached: ${why}`));
    };
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => refuse('no answer'));
    socket.once('error', (error) => refuse(error.message));
  });
}
