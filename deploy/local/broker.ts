import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as openSocket } from 'node:net';
import { type Context } from './context.ts';
import { natsUser } from './keys.ts';
import { type GatewayUser, renderAccounts } from '../nats/render.ts';
import { openTrust, type Trust } from '../nats/trust.ts';
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
import type { NatsServer } from './nats-server.ts';
import { StartError } from './options.ts';
import type { Ports } from './ports.ts';

/** A message server that answers. */
export interface Broker {
  readonly url: string;
  /** Lets gateways in; absent on a server that is not ours. */
  readonly trust: Trust | undefined;
  /** How the cloud's processes prove who they are there: variables of their environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts the park's own message server, in operator mode, and watches its health. */
export async function runBroker(context: Context, server: NatsServer, ports: Ports): Promise<Broker> {
  const { home, supervisor } = context;
  const files = natsFiles(home.nats);
  await mkdir(files.storeDir, { recursive: true });
  const trust = await openTrust(join(home.nats, 'trust'), new Date());
  await writeNatsConfig(server.path, files.config, {
    serverName: 'parkline',
    listen: `127.0.0.1:${ports.nats}`,
    httpPort: ports.natsHttp,
    storeDir: files.storeDir,
    jwtDir: files.jwtDir,
    pidFile: files.pidFile,
    maxFileStore: fileStoreLimit(await diskOf(home.nats)),
    trust: trust.server,
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
  const url = `nats://127.0.0.1:${ports.nats}`;
  await giveShares(context, trust, url);
  return { url, trust, env: { NATS_CREDS_DIR: trust.folders.cloud } };
}

/** A stream of an earlier version gets its shares. Where that fails ingest says so, and the next start tries again. */
async function giveShares({ steps }: Context, { folders }: Trust, url: string): Promise<void> {
  const { shareStream } = await import('../nats/share.ts'); // Slow to load, and needed once.
  await shareStream(folders, url).catch((error: Error) =>
    steps.say(`the stream got no share for each gateway: ${error.message}`),
  );
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
  const seedFile = join(context.home.secrets, 'nats-core.nk');
  await writeFile(file, await renderAccounts(await natsUser(seedFile), gateways));
  context.steps.detail(`the server of NATS_URL must allow the users in ${file}`);
  return { url, trust: undefined, env: { NATS_SEED_FILE: seedFile } };
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
