// How long a gateway that is thrown out stays: from the call until the message server has closed its connection. The promise is two
// seconds. Beside it the plain way, for a server in configuration mode: take the user out of the file and reload.
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createUser, type KeyPair } from '@nats-io/nkeys';
import {
  type Authenticator,
  connect,
  jwtAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
} from '@nats-io/transport-node';
import { connectionOptions } from '../../cloud/src/platform/nats.ts';
import { readAuthorityKeys } from '../../cloud/src/provisioning/authority-keys.ts';
import { createSigner } from '../../cloud/src/provisioning/signer.ts';
import { ended, start } from '../../deploy/local/command.ts';
import { createDebs } from '../../deploy/local/debs.ts';
import { cacheFolder, freePort, scratchFolder } from '../../deploy/local/machine.ts';
import { natsCommand, untilNatsIsHealthy } from '../../deploy/local/nats.ts';
import { findNatsServer, type NatsServer } from '../../deploy/local/nats-server.ts';
import { type GatewayUser, renderAccounts } from '../../deploy/nats/render.ts';
import { startNats } from '../support/nats.ts';
import { type BenchResult, machine, median, MissingPeer, round, spread } from './report.ts';

const GATEWAYS = 20;

interface Gateway extends GatewayUser {
  readonly user: KeyPair;
}

const newGateways = (): Gateway[] =>
  Array.from({ length: GATEWAYS }, (_, n) => {
    const user = createUser();
    const id = `0198c0de-0000-7000-8000-${String(n).padStart(12, '0')}`;
    return { id, user, publicNkey: user.getPublicKey() };
  });

export async function run(progress: (text: string) => void): Promise<BenchResult> {
  const server = await findServer(progress);
  const ours = await throwOutBySigner(server.path);
  progress(`operator mode: p50 ${round(median(ours))} ms, most ${round(Math.max(...ours))} ms`);
  const raw = await throwOutByReload(server.path);
  progress(`file and reload: p50 ${round(median(raw))} ms, most ${round(Math.max(...raw))} ms`);
  return {
    bench: 'revoke',
    ratio: round(median(ours) / median(raw)),
    better: 'lower',
    spread: round(spread(ours)),
    runs: GATEWAYS,
    ours: { median: round(median(ours)), unit: 'ms to closed', cpu_us_per_item: 0 },
    raw: { median: round(median(raw)), unit: 'ms to closed', cpu_us_per_item: 0 },
    machine: machine(),
    versions: { node: process.version, nats: server.version },
    notes: 'From the call to the closed connection, 20 gateways one after another; CPU is not measured.',
    p50_ms: round(median(ours)),
    max_ms: round(Math.max(...ours)),
    within_2_s: Math.max(...ours) <= 2_000,
  };
}

async function findServer(notice: (text: string) => void): Promise<NatsServer> {
  const debs = createDebs({ cache: cacheFolder(process.env), env: process.env, notice });
  try {
    return await findNatsServer(debs, process.env, notice);
  } catch (cause) {
    throw new MissingPeer(`no message server: ${(cause as Error).message}`, { cause });
  } finally {
    await debs.close();
  }
}

async function throwOutBySigner(program: string): Promise<number[]> {
  const gateways = newGateways();
  const server = await startNats({ gateways, program });
  const keysDir = server.trust.folders.provisioner;
  const system = await connect(connectionOptions({ url: server.url, credsDir: keysDir }, 'provisioner'));
  const signer = createSigner({ ...readAuthorityKeys(keysDir), system, now: () => new Date() });
  const revoked = new Map<string, Date>();
  try {
    return await timeEach(
      gateways,
      ({ id, user }) => enter(server.url, jwtAuthenticator(server.gatewayJwts.get(id) ?? '', user.getSeed())),
      ({ publicNkey }) => signer.revoke(revoked.set(publicNkey, new Date())),
    );
  } finally {
    await system.close();
    await server.stop();
  }
}

async function throwOutByReload(program: string): Promise<number[]> {
  const gateways = newGateways();
  const folder = await mkdtemp(join(scratchFolder(), 'parkline-reload-'));
  const [port, httpPort] = [await freePort(), await freePort()];
  const core = createUser().getPublicKey();
  const file = join(folder, 'server.conf');
  const write = async (allowed: readonly GatewayUser[]): Promise<void> => {
    const head = `listen: "127.0.0.1:${port}"\nhttp: "127.0.0.1:${httpPort}"\njetstream { store_dir: ${JSON.stringify(folder)} }\n`;
    await writeFile(file, head + (await renderAccounts(core, allowed)));
  };
  await write(gateways);
  const child: ChildProcess = start(natsCommand(program, file));
  child.stdout?.resume();
  child.stderr?.resume();
  try {
    await untilNatsIsHealthy(httpPort, 10_000);
    const left = new Set<GatewayUser>(gateways);
    return await timeEach(
      gateways,
      ({ user }) => enter(`nats://127.0.0.1:${port}`, nkeyAuthenticator(user.getSeed())),
      async (gateway) => {
        left.delete(gateway);
        await write([...left]);
        child.kill('SIGHUP');
      },
    );
  } finally {
    child.kill('SIGTERM');
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Time from `throwOut` to the end of the connection, ms, of each. */
async function timeEach(
  gateways: readonly Gateway[],
  open: (gateway: Gateway) => Promise<NatsConnection>,
  throwOut: (gateway: Gateway) => Promise<void>,
): Promise<number[]> {
  const connections = await Promise.all(gateways.map(open));
  const times: number[] = [];
  for (const [n, gateway] of gateways.entries()) {
    const closed = connections[n]!.closed();
    const began = performance.now();
    await Promise.all([throwOut(gateway), closed]);
    times.push(performance.now() - began);
  }
  return times;
}

const enter = (url: string, authenticator: Authenticator): Promise<NatsConnection> =>
  connect({ servers: url, authenticator, reconnect: false });
