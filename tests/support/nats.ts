import { type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authenticator, credsAuthenticator } from '@nats-io/transport-node';
import { inject } from 'vitest';
import { creds } from '../../cloud/src/provisioning/authority.ts';
import { ended, start } from '../../deploy/local/command.ts';
import { freePort, scratchFolder } from '../../deploy/local/machine.ts';
import { natsCommand, natsFiles, untilNatsIsHealthy, writeNatsConfig } from '../../deploy/local/nats.ts';
import type { GatewayUser, ServerConfig } from '../../deploy/nats/render.ts';
import { letIn, openTrust, type Trust } from '../../deploy/nats/trust.ts';

/** A real nats-server of a test, with the configuration, accounts and permissions of production. */
export interface TestNats {
  readonly url: string;
  readonly httpPort: number;
  readonly trust: Trust;
  /** Of a user who may do everything in CORE: content of a .creds file. */
  readonly coreCreds: string;
  /** The credentials of the cloud's own users, `<user>.creds`. */
  readonly credsDir: string;
  /** JWTs of the gateways that it was started for, by their id. */
  readonly gatewayJwts: ReadonlyMap<string, string>;
  /** Ends it cleanly and deletes its store. */
  stop(): Promise<void>;
  /** kill -9; the store stays, so that `restart` finds what was acknowledged. */
  kill(): Promise<void>;
  /** Starts it again on the same port and store. */
  restart(): Promise<void>;
}

export interface TestNatsOptions {
  readonly gateways: readonly GatewayUser[];
  /** What the global set-up found; give it where there is no vitest. */
  readonly program?: string;
  /** Changes of the configuration, once the trust is made. */
  readonly change?: (trust: Trust, folder: string) => Promise<Partial<ServerConfig>>;
}

/** Proves a user by the content of a .creds file. */
export const byCreds = (text: string): Authenticator => credsAuthenticator(new TextEncoder().encode(text));

/** Starts a server on a free port. */
export async function startNats(options: TestNatsOptions): Promise<TestNats> {
  const program = options.program ?? inject('natsServer');
  const folder = await mkdtemp(join(scratchFolder(), 'parkline-nats-'));
  const files = natsFiles(folder);
  await mkdir(files.storeDir);
  const trust = await openTrust(join(folder, 'trust'), new Date());
  const change = await options.change?.(trust, folder);
  const [port, httpPort] = [await freePort(), await freePort()];
  await writeNatsConfig(program, files.config, {
    ...{ serverName: 'test', listen: `127.0.0.1:${port}`, httpPort },
    ...{ storeDir: files.storeDir, jwtDir: files.jwtDir, pidFile: files.pidFile },
    ...{ maxFileStore: 1024 ** 3, trust: trust.server },
    ...change,
  });
  const server = createServer(program, files.config, httpPort);
  await server.restart();
  return {
    url: `${change?.tls ? 'tls' : 'nats'}://127.0.0.1:${port}`,
    ...{ httpPort, trust, credsDir: trust.folders.cloud, gatewayJwts: await jwtsOf(trust, options.gateways) },
    coreCreds: await creds(await readFile(join(trust.folders.offline, 'core.nk'), 'utf8'), 'test'),
    ...server,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** @returns JWTs for these gateways, by their id. */
async function jwtsOf(trust: Trust, gateways: readonly GatewayUser[]): Promise<ReadonlyMap<string, string>> {
  const now = new Date();
  const signed = gateways.map(async (gateway): Promise<[string, string]> => [
    gateway.id,
    await letIn(trust, gateway, now),
  ]);
  return new Map(await Promise.all(signed));
}

function createServer(program: string, configFile: string, httpPort: number) {
  let child: ChildProcess | undefined;
  async function end(signal: NodeJS.Signals): Promise<void> {
    child?.kill(signal);
    if (child) await ended(child);
  }
  return {
    async restart() {
      child = start(natsCommand(program, configFile));
      // Nobody reads its log here; a full pipe would stop the server.
      child.stdout?.resume();
      child.stderr?.resume();
      await untilNatsIsHealthy(httpPort, 10_000);
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}
